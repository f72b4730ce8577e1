"""
How many clusters?
==================

`scan_clusters` compares numbers of clusters; `overview` shows image, objects, embedding and clusters.
"""

import objclass

embryo = objclass.samples.embryo()
table = objclass.measure(embryo.labels, embryo.image, spacing=embryo.spacing)
scan = objclass.scan_clusters(table, "kmeans")
print(scan.round(3).to_string(index=False))
table = objclass.cluster(objclass.reduce(table, "umap"), "kmeans", n_clusters=3)
figure = objclass.overview(embryo.image, embryo.labels, table, spacing=embryo.spacing)
