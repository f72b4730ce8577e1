"""
How many clusters?
==================

`scan_clusters` compares numbers of clusters: the higher the silhouette, the better the clusters lie apart.
"""

import matplotlib.pyplot as plt

import objclass

embryo = objclass.samples.embryo()
table = objclass.measure(embryo.labels, embryo.image, spacing=embryo.spacing)
scan = objclass.scan_clusters(table, "kmeans")
best = int(scan.loc[scan["silhouette"].idxmax(), "n_clusters"])
table = objclass.reduce(objclass.cluster(table, "kmeans", n_clusters=best), "pca")

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
left.plot(scan["n_clusters"], scan["silhouette"], marker="o")
left.set(xlabel="number of clusters", ylabel="silhouette")
right.scatter(table["PC_0"], table["PC_1"], c=table["KMEANS_CLUSTER_ID"], s=10, cmap="Set1")
right.set(xlabel="PC_0", ylabel="PC_1", title=f"k-means, {best} clusters")
