"""Widgets for notebooks, for JupyterLab, Notebook 7, VS Code, Colab and Voila."""
