"""Widgets for notebooks: they run in JupyterLab, Notebook 7, VS Code, Colab and Voila."""
