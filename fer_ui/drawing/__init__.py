"""Charts that the browser draws without Plotly: parts that can be reached by keyboard and clicked."""
