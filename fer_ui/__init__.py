"""What the pages are made of. Besides the pages, this is the only package that imports Streamlit."""
