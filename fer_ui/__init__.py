"""Components of the pages; apart from the pages, the only package that imports Streamlit."""
