"""From tables to tables: reduction, clustering, selection, statistics, export."""
