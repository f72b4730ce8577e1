"""Names of columns as many tools write them."""

import numpy as np
import pandas as pd
import pytest

import objclass
from objclass.tables.columns import measurement_columns
from objclass.tables.roles import column_role

# Separated by |, since many of the names hold spaces.
NAMES = {
    "measurement": (
        "area|num_pixels|area_bbox|area_convex|area_filled|equivalent_diameter_area|extent|solidity|"
        "feret_diameter_max|axis_major_length|axis_minor_length|axis_intermediate_length|eccentricity|"
        "perimeter|perimeter_crofton|euler_number|intensity_mean|intensity_mean-0|intensity_max-1|"
        "intensity_min|intensity_std|intensity_mean-DAPI|intensity_median|intensity_q95|moments_hu-0|"
        "inertia_tensor_eigvals-0|max_intensity|mean_intensity|standard_deviation_intensity|"
        "minor_axis_length|AreaShape_Area|AreaShape_Compactness|AreaShape_Eccentricity|"
        "AreaShape_EquivalentDiameter|AreaShape_EulerNumber|AreaShape_Extent|AreaShape_FormFactor|"
        "AreaShape_MajorAxisLength|AreaShape_MaxFeretDiameter|AreaShape_MaximumRadius|AreaShape_MeanRadius|"
        "AreaShape_MedianRadius|AreaShape_MinFeretDiameter|AreaShape_MinorAxisLength|AreaShape_Perimeter|"
        "AreaShape_Solidity|AreaShape_Zernike_0_0|AreaShape_Zernike_9_1|AreaShape_BoundingBoxArea|"
        "AreaShape_BoundingBoxVolume|AreaShape_Volume|AreaShape_SurfaceArea|AreaShape_HuMoment_0|"
        "AreaShape_CentralMoment_0_1|AreaShape_NormalizedMoment_2_1|AreaShape_InertiaTensorEigenvalues_0|"
        "AreaShape_ConvexArea|Intensity_IntegratedIntensity_DAPI|Intensity_MeanIntensity_DAPI|"
        "Intensity_MassDisplacement_DAPI|Intensity_MADIntensity_GFP|Intensity_LowerQuartileIntensity_X|"
        "Intensity_IntegratedIntensityEdge_DAPI|Intensity_StdIntensityEdge_DAPI|"
        "Intensity_MaxIntensityEdge_DNA|Texture_AngularSecondMoment_DAPI_3_00_256|"
        "Texture_Correlation_DAPI_3_00_256|Texture_SumAverage_DAPI_10_03_256|Texture_InfoMeas1_DAPI_3_00|"
        "RadialDistribution_FracAtD_DAPI_1of4|RadialDistribution_MeanFrac_DAPI_4of4|"
        "RadialDistribution_ZernikeMagnitude_DNA_0_0|RadialDistribution_RadialCV_DAPI_1of4|"
        "Granularity_1_DAPI|Granularity_16_DAPI|Correlation_Correlation_DAPI_GFP|"
        "Correlation_Manders_DAPI_GFP|Correlation_Overlap_DAPI_GFP|Correlation_K_DNA_ER|"
        "Correlation_RWC_DNA_ER|Neighbors_NumberOfNeighbors_Adjacent|Neighbors_PercentTouching_Adjacent|"
        "Neighbors_FirstClosestDistance_Adjacent|Neighbors_SecondClosestDistance_5|"
        "Neighbors_AngleBetweenNeighbors_Adjacent|Children_Spots_Count|Children_Cytoplasm_Count|"
        "Mean_Spots_AreaShape_Area|Math_Ratio|Nuclei_AreaShape_Area|Cells_Intensity_MeanIntensity_DAPI|"
        "Nuclei_Texture_Entropy_DNA_3_01|Area|Mean|StdDev|Mode|Min|Max|Perim.|Circ.|Feret|IntDen|Median|"
        "Skew|Kurt|%Area|RawIntDen|MinFeret|AR|Round|Solidity|Major|Minor|Width|Height|Perimeter|"
        "Circularity|Ellipse.Radius1|Convexity|MaxFeretDiam.|OBox.Length|OBox.Width|Tortuosity|"
        "GeodesicDiameter|AverageThickness|GeodesicElongation|Volume|SurfaceArea|MeanBreadth|Sphericity|"
        "EulerNumber|Elli.R1|Elli.R1/R2|InscrBall.Radius|InscrDisc.Radius|AreaOpeningFraction|"
        "MEAN_INTENSITY_CH1|MEDIAN_INTENSITY_CH2|CONTRAST_CH1|SNR_CH1|STD_INTENSITY_CH1|"
        "TOTAL_INTENSITY_CH1|ELLIPSE_MAJOR|ELLIPSE_MINOR|ELLIPSE_ASPECTRATIO|AREA|PERIMETER|CIRCULARITY|"
        "SOLIDITY|SHAPE_INDEX|RADIUS|TRACK_MEAN_SPEED|TRACK_DISPLACEMENT|LINEARITY_OF_FORWARD_PROGRESSION|"
        "TOTAL_DISTANCE_TRAVELED|mean_distance_to_centroid|max_distance_to_centroid|"
        "mean_distance_to_mass_center|standard_deviation_distance_to_centroid|"
        "mean_max_distance_to_centroid_ratio|bbox_width|bbox_height|bbox_depth|pixel_count|"
        "minimum_intensity|maximum_intensity|sum_intensity|touching_neighbor_count|distance_to_nearest|"
        "n_neighbors|local_density|neighbors_touching|shape_index|refractive_index|mitotic_index|"
        "proliferation_index|n_genes|n_counts|total_counts|pct_counts_mt|CD4|CD31|CD8a|Ki67|DNA1|CD45RO|PC|"
        "area_x|area_y|intensity_max_x|feret_diameter_max_x|solidity_y|circularity|elongation|flatness|"
        "sphericity|surface_area|texture_contrast|haralick_0|glcm_energy-0|gradient_energy|log_energy-2|"
        "local_variance|m0|PAX6|H3K27ac|p53|Sox2|nucleus_area|cell_area|cell_count|Cell_perimeter|"
        "nuclear_ratio|feature_0|embedding_quality|dinov2_12|latent_3|mass|speed|Cell: Area µm^2|"
        "Nucleus: Area|Nucleus: Circularity|Nucleus: Max caliper|Nucleus: Hematoxylin OD mean|"
        "Nucleus/Cell area ratio|Cytoplasm: DAB OD std dev|Distance to annotation with Tumor µm|"
        "Delaunay: Num neighbors|Delaunay: Mean distance|Cell: DAPI mean|Num spots|Volume (µm^3)|"
        "Surface (micron^2)|Nb of obj. voxels|Nb of surf. voxels|Mean dist. to surf. (pixel)|"
        "Intensity Mean Ch=1|Intensity Sum|Intensity Center Ch=1|Sphericity (unit)|Ellipsoid Axis Length A|"
        "BoundingBox OO Length A|Bounding Box AA Length X|Number of Voxels|Shortest Distance to Surfaces|"
        "Nuclei - Area [µm²]|Nuclei - Intensity Nucleus Mean|Nuclei - Number of Spots|"
        "Radii of the object_0|Mean Intensity_0|Size in pixels_0|Object_Area_0|Number of neighbors|"
        "Mean gray value|Number of branches|n_clusters|number_of_clusters|distance_to_nearest_class|"
        "density_class_2|distance_centroid|nearest_centroid_distance|mean_intensity_channel_1|"
        "intensity_mean-C1|intensity_mean-Z1|volume_um3|ring_mean-0|intensity_position_ratio|"
        "nearest_neighbor_distance|gyration_radius|skewness|kurtosis|mad|cell_density|"
        "time_to_division_ratio|intensity_mean_left|Kernfläche|Fläche|area.1|n_neighbors_y|label_intensity"
    ),
    "identifier": (
        "label|index|Label|LABEL|image|Image|file|path|frame|Frame|FRAME|time|Slice|Ch|ImageNumber|"
        "ObjectNumber|Metadata_Series|Metadata_Frame|Metadata_Time|Metadata_Well|Image_Metadata_Plate|"
        "FileName_DAPI|PathName_DAPI|Nuclei_Number_Object_Number|Number_Object_Number|Parent_Nuclei|"
        "Cells_Parent_Nuclei|Group_Index|TrackObjects_Label_50|TrackObjects_ParentObjectNumber_50|"
        "TrackObjects_ParentImageNumber|Neighbors_FirstClosestObjectNumber_Adjacent|ID|TRACK_ID|"
        "TRACK_INDEX|SPOT_SOURCE_ID|EDGE_TIME|POSITION_T|Name|track_id|trackId|lineageId|mergerLabelId|"
        "labelimage_oid|object_id|timestep|well|plate|Well|day|row|col|Row|Column|field|site|replicate|"
        "batch|sample|patient|OriginalID|TrackID|CellID|imageid|cell_id|fov|Plane|Timepoint|parent|root|"
        "generation|dose|concentration|condition|particle|library_id|array_row|array_col|in_tissue|"
        "Field-ID|CellId|Cell_ID|ObjectId|image_id|original_label|vertex-index|Object|Pos|unnamed|T|t|"
        "TrackObjects_Label|MinThr|MaxThr|VISIBILITY|Unnamed: 0|Unnamed: 0.1| |Object ID|Object No|"
        "Nuclei - Object No in Nuclei|Time Index|Time [s]|Original ID|Cell ID|Plate ID|User Label|"
        "Time Point|ID::ID!!I|time_min|Time_h|hours|hpf|timestamp|well_row|WellColumn|plate_row|image_idx|"
        "img|img_id|z_index|z_plane|zslice|frame_idx|label_id|LabelID|nuc_id|scene_index|position_index|"
        "pos_id|roi_id|ROI_label|mask_id|event|replicate_number|biological_replicate|bio_rep|batch_id|"
        "cohort|conc|log_dose|dose_um|cell_line|imagerow|imagecol|orig.ident|slice_idx|channel_index|"
        "cell_barcode|TRACK_START|label_x|label_y|frame.1|ImageNumber.1|condition_left|time_x|index_right|label_nuc|"
        "label_cells|nuc_label|parent_label|Bildnummer|Objekt-Nr.|Zelle|Dateiname|Zeitpunkt|Fichier|Numéro|Imagen|"
        "Bildnamn|Löpnummer|Tid"
    ),
    "position": (
        "z|y|x|centroid-0|centroid_weighted_local-1-0|local_centroid-2|weighted_centroid-0|bbox-3|"
        "orientation|inertia_tensor-0-1|AreaShape_Center_X|AreaShape_Center_Y|AreaShape_Center_Z|"
        "Location_Center_X|Location_Center_Z|Location_CenterMassIntensity_X_DAPI|"
        "Location_MaxIntensity_Y_DAPI|AreaShape_BoundingBoxMaximum_X|AreaShape_BoundingBoxMinimum_Y|"
        "AreaShape_Orientation|AreaShape_InertiaTensor_0_0|Nuclei_Location_Center_X|"
        "Cells_AreaShape_Center_Y|TrackObjects_TrajectoryX_50|XM|YM|ZM|BX|BY|BZ|FeretX|FeretY|FeretAngle|"
        "Angle|X|Y|Z|Box.X.Min|Box.X.Max|Centroid.X|Ellipse.Center.X|Ellipse.Orientation|OBox.Center.X|"
        "OBox.Orientation|MaxFeretDiamAngle|InscrCircle.Center.X|InscrBall.Center.Z|Elli.Center.X|"
        "Elli.Azim|Elli.Elev|Elli.Roll|CenterOfMass.X|POSITION_X|POSITION_Y|POSITION_Z|ELLIPSE_X0|"
        "ELLIPSE_Y0|ELLIPSE_THETA|TRACK_X_LOCATION|EDGE_X_LOCATION|mass_center_x|centroid_x|bbox_min_x|"
        "bbox_max_z|sum_intensity_times_x|sum_x|X_centroid|Y_centroid|x_centroid|column_centroid|"
        "row_centroid|center_x|min_x|max_y|CenterX_local_px|CenterX_global_px|X_position|"
        "pxl_row_in_fullres|spatial_0|axis-0|axis-2|RegionCenter_0|Center_of_the_object_0|"
        "Bounding_Box_Minimum_0|Bounding_Box_Maximum_1|CenterX|CenterXabs|BoundCenterX|CENTROID_X|"
        "WEIGHTED_CENTROID_X|BBOX_XMIN|BBOX_YMIN|ORIENTATION|MIN_FERET_ANGLE|EXTREMA_P1_X|x.0.m.cx|"
        "Orientation|StartX|X_loc|x_min|xmin|CX|CMx|Centroid X µm|Centroid Y px|Position X|"
        "Center of Homogeneous Mass X|Center of Image Mass Y|Position Reference Frame X|"
        "Distance to Image Border XY|Distance from Origin|Ellipsoid Axis A X|BoundingBox OO Axis A X|"
        "Position X [µm]|Nuclei - Position X [µm]|CX (pix)|CMx (unit)|Xmin (pix)|Center of the object_0|"
        "Bounding Box Minimum_0|Principal components of the object_0|Coord<Minimum>_0|x Cent|"
        "Centroid x (µm)|Nuc cg X|Center of Geometry X (px)|CenterX::Center X!!R|Velocity X|X (px)|cell_x|"
        "nucleus_y|pos_x|X_pos|x_um|X_um|x-coordinate|x_position_um|xcoord|ycoord|centroid_row|"
        "centroid_col|centroid_x_um|Xpos|com_x|com-0|COM_X|center-0|centre_of_mass-0|center_of_mass_0|bb_x|"
        "min_row|max_col|bbox_left|left|top|right|bottom|row_min|x1|global_x|stage_x_um|tile_x|spatial_x|"
        "centroid-0_x|centroid-1_y|coord_x|centroid-0.1|orientation_y|bbox-0_right|x_nuc|Y_cell|CoM X|"
        "x_slide_mm|Schwerpunkt X|Winkel|RegionAxes_0"
    ),
    "result": (
        "UMAP_0|t-SNE_1|PC_10|Isomap_0|MDS_0|UMAP1|UMAP2|UMAP-1|PC1|PC2|tSNE1|tSNE_1|TSNE1|X_umap-0|"
        "X_umap_1|umap_x|X_pca-0|PHATE1|phate_1|DC1|KMEANS_CLUSTER_ID|MANUAL_CLUSTER_ID|HDBSCAN_CLUSTER_ID|"
        "LEIDEN_CLUSTER_ID|kind|cell_type|Class|CLASS|class|leiden|louvain|leiden_0.5|leiden_res_1.0|"
        "louvain_r1|PhenoGraph_clusters|phenograph|cluster|clusters|Cluster_1|seurat_clusters|metacluster|"
        "kmeans5|kmeans_5|annotation|ANNOTATION|predicted_class|prediction|Prediction|phenotype|state|"
        "Classification|CLASS_PROBABILITY|dpt_pseudotime|Classify_Positive|class_number|MS_CLUSTER_ID|"
        "AC_CLUSTER_ID|GMM_CLUSTER_ID|celltype|Predicted Class|Probability of nuclei|Detection probability|"
        "Class probability|Cluster ID|Object type|Cell Type|Cell type|true_label|label_pred|pred_label|"
        "gt_label|class_label|y_pred|umap_dim1|umap_component_1|X_pca_harmony-0|X_scVI-0|cluster_0.5|"
        "kmeans_k5|Leiden_clusters|CellType|cell_type_id|manual_annotation|Group_Number|CLASS_x|CLASS.1|cluster_y|"
        "MANUAL_CLUSTER_ID_x|MS_CLUSTER_ID_right|Klasse|Gruppe|Groupe|selected|flag"
    ),
}


@pytest.mark.parametrize("role", NAMES)
def test_the_role_of_names(role):
    names = NAMES[role].split("|")
    assert len(names) > 80
    assert {name: column_role(name) for name in names} == dict.fromkeys(names, role)


def test_measurements_of_objclass_are_measurements():
    labels = np.zeros((3, 20, 20), int)
    labels[:, 2:6, 3:9], labels[1:, 10:15, 11:18] = 1, 2
    table = objclass.measure(labels, labels * 7.0, spacing=0.5)
    left = set(table) - set(measurement_columns(table))
    assert {"label", "num_pixels", "bbox-0", "centroid-1"} <= left
    none = (
        "label",
        "centroid",
        "bbox-",
        "orientation",
        "num_pixels",
        "equivalent_diameter",
        "inertia_tensor-",
    )
    assert all(name.startswith(none) for name in left)


def test_a_name_that_is_no_text():
    table = pd.DataFrame({"label": [1, 2], 7: [1.0, 2.0]})
    assert measurement_columns(table) == [7]
