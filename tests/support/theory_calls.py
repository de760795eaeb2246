"""A cheap call of each public function of theory: what the tests of arguments vary, one argument at a time.

An int stands for an integer, a float for a real number, a list for a sequence of them.
"""

import networkx as nx
import numpy as np

import theory
from theory import certificate, coq, dufm, ridge, schatten, ufm
from theory.deep_rfm import (
    collapse_convergence,
    collapse_fixed_point,
    collapse_map,
    kernel_certificate,
    kernel_ridge,
    mahalanobis,
    relu_distance,
    relu_kernel,
)
from theory.geometry import graph_names, triangular_graph
from theory.labels import one_hot
from theory.ufm import relu_epsilon, strong_collapse, two_layers

LAM = 2.0**-11  # exact in every type
X = np.random.default_rng(0).standard_normal((3, 3))
LABELS = one_hot([2, 1])
GRAM = np.array([[2.0, 0.5, 0.25], [0.5, 1.5, 0.125], [0.25, 0.125, 1.0]])
PROBLEM = ufm.Problem.of(2, 2, LAM)
SOLUTION = dufm.dnc(4, 3, LAM)
LAMS = [LAM, 2 * LAM, 4 * LAM, 8 * LAM]
MAP = {"lam_k": 0.25, "lam_map": 0.5, "kappa": 0.125}

CALLS = [
    (certificate.strongly_regular_beats_collapse, {"three_layers_from": 5, "four_layers_from": 4}),
    (certificate.zero_is_optimal, {"L": 3, "kappa": 0.25, "weights": [0.5, 0.5], "eigenvalues": [2.0, 1.0]}),
    (collapse_convergence.layer_factor, {"x": 0.5, "c": 0.25}),
    (collapse_fixed_point.contraction_bound, {"sizes": [2, 1], **MAP}),
    (collapse_fixed_point.contraction_factor, {"sizes": [2, 1], **MAP}),
    (collapse_fixed_point.critical_lam_k, {"n": 2, "lam_map": 0.5}),
    (collapse_fixed_point.fixed_point, {"Y": LABELS, **MAP}),
    (collapse_fixed_point.fixed_point_scales, {"sizes": [2, 1], **MAP}),
    (collapse_map.agop_gram, {"A": GRAM, "Y": LABELS, "lam_k": 0.25}),
    (collapse_map.collapsed_gram_inverse, {"Y": LABELS, "lam_map": 0.5}),
    (collapse_map.exact_kappa, {"n": 2, "lam_k": 0.25, "lam_map": 0.5}),
    (collapse_map.exact_step, {"gram": [[2, 1], [1, 2]], "Y": np.eye(2), **MAP}),
    (collapse_map.iterate, {"data_gram": GRAM, "Y": LABELS, **MAP, "layers": 2}),
    (collapse_map.printed_kappa, {"lam_k": 0.25, "lam_map": 0.5}),
    (collapse_map.step, {"gram": GRAM, "Y": LABELS, **MAP}),
    (dufm.attained, {"solution": SOLUTION, "lams": LAMS}),
    (dufm.best_known, {"K": 10, "L": 4}),
    (dufm.bounds, {"K": 4, "L": 3, "lam": LAM, "n": 2}),
    (dufm.bounds, {"K": 4, "L": 3, "lams": LAMS}),
    (dufm.conditionally_optimal, {"intermediate": [np.eye(2)], "pre_activations": np.eye(2), "lams": LAMS, "n": 2}),
    (dufm.dnc, {"K": 4, "L": 3, "lam": LAM, "n": 2}),
    (dufm.dnc, {"K": 4, "L": 3, "lams": LAMS}),
    (dufm.dnc_loss, {"K": 4, "L": 3, "lam": LAM, "n": 2}),
    (dufm.dnc_loss, {"K": 4, "L": 3, "lams": LAMS}),
    (dufm.enclose_loss, {"solution": "dnc", "K": 4, "L": 3, "lam": LAM, "n": 2, "digits": 8, "time_limit": 8.0}),
    (dufm.enclose_loss, {"solution": "dnc", "K": 4, "L": 3, "lams": LAMS, "digits": 8}),
    (dufm.enclose_ratio, {"K": 10, "L": 3, "lam": LAM, "n": 2, "digits": 8, "time_limit": 8.0}),
    (dufm.enclose_ratio, {"K": 10, "L": 3, "lams": LAMS, "digits": 8}),
    (
        dufm.enclose_ratio_over,
        {"K": 10, "L": 4, "lam": [LAM, 2 * LAM], "n": 2, "width": 0.125, "max_points": 100, "time_limit": 8.0},
    ),
    (dufm.evaluate_loss, {"features": np.eye(2), "weights": [np.eye(2)] * 3, "lams": LAMS, "n": 1}),
    (dufm.exact_loss, {"matrices": dufm.rational_srg(4, LAMS), "lams": LAMS, "n": 2}),
    (
        dufm.explore,
        {"K": 3, "L": 3, "lam": LAM, "n": 2, "time_limit": 8.0, "max_graphs": 100, "screened": 1, "refined": 0}
        | {"restarts": 0, "kicks": 0, "seed": 1},
    ),
    (dufm.explore, {"K": 3, "L": 3, "lams": LAMS, "screened": 1, "refined": 0}),
    (dufm.free_descent, {"solution": SOLUTION, "noise": 0.125, "restarts": 1, "steps": 5, "seed": 1}),
    (
        dufm.graph_solution,
        {"graph": nx.path_graph(3), "L": 3, "lam": LAM, "n": 2, "K": 2, "restarts": 1, "kicks": 1, "seed": 1},
    ),
    (dufm.graph_solution, {"graph": nx.path_graph(3), "L": 3, "lams": LAMS, "last_layer": "edges"}),
    (dufm.loss_ratio, {"K": 12, "L": 3, "lam": LAM, "n": 2}),
    (dufm.loss_ratio, {"K": 12, "L": 3, "lams": LAMS}),
    (dufm.lower_bound, {"K": 4, "L": 3, "lam": LAM, "n": 2, "digits": 8, "time_limit": 8.0}),
    (dufm.lower_bound, {"K": 4, "L": 3, "lams": LAMS}),
    (dufm.rank_two, {"K": 4, "L": 3, "lam": LAM, "n": 2}),
    (dufm.rank_two, {"K": 4, "L": 3, "lams": LAMS}),
    (dufm.relu_constant, {"K": 6}),
    (dufm.rescaled, {"solution": SOLUTION, "problem": ufm.Problem.of(4, 3, 2 * LAM)}),
    (dufm.rational_srg, {"r": 5, "lams": LAMS, "n": 2, "classes": [0, 1, 5]}),
    (dufm.srg, {"K": 12, "L": 3, "lam": LAM, "n": 2}),
    (dufm.srg, {"K": 12, "L": 3, "lams": LAMS, "construction": "drop"}),
    (dufm.srg_loss, {"K": 12, "L": 3, "lam": LAM, "n": 2}),
    (dufm.srg_loss, {"K": 12, "L": 3, "lams": LAMS}),
    (dufm.symbolic_loss, {"solution": "dnc", "L": 3}),
    (ridge.minimiser, {"M": X, "lam": 0.25}),
    (ridge.minimum, {"singular_values": [1.0, 2.0], "lam": 0.25, "K": 3}),
    (ridge.objective, {"W": X, "M": X, "lam": 0.25}),
    (ridge.residual, {"M": X, "lam": 0.25}),
    (schatten.minimal_factors, {"matrix": X, "lams": [0.25, 0.5], "width": 3}),
    (schatten.power, {"matrix": X, "p": 0.5}),
    (schatten.variational_constant, {"lams": [0.25, 0.5]}),
    (schatten.variational_value, {"matrix": X, "lams": [0.25, 0.5]}),
    (theory.labels.one_hot, {"sizes": [2, 1]}),
    *(
        (function, {"r": 5})
        for function in (
            triangular_graph.complete_graph_edges,
            triangular_graph.incidence_matrix,
            triangular_graph.last_layer_gram_spectrum,
            triangular_graph.last_layer_pre_activations,
            triangular_graph.last_layer_row_norm_squared,
            triangular_graph.normalised_incidence_matrix,
            triangular_graph.parameters,
            triangular_graph.spectrum,
            triangular_graph.triangular_graph,
        )
    ),
    (triangular_graph.row_multiples, {"multiples": [[1.0, 2.0], [3.0]], "scale": 2.0}),
    (triangular_graph.triangular_order, {"K": 12}),
    (ufm.ReLUEpsilon, {"epsilon": 0.25, "exponent": 3}),
    (ufm.Problem.of, {"K": 3, "L": 2, "lam": LAM, "n": 2, "width": 4, "activation": "relu_eps", "eps": 0.25}),
    (ufm.Problem.of, {"K": 3, "L": 2, "lams": LAMS[:3], "width": [3, 4]}),
    (ufm.activation, {"spec": "relu_eps", "eps": 0.25}),
    (ufm.activations, {"spec": "relu_eps", "L": 3, "eps": 0.25}),
    (
        ufm.descend,
        {"point": ufm.collapsed_point(PROBLEM), "tolerance": 0.125, "iterations": 2, "flat": 0.125, "memory": 2},
    ),
    (ufm.exact_lams, {"L": 3, "lam": None, "lams": LAMS}),
    (ufm.exact_lams, {"L": 3, "lam": LAM, "positive": True}),
    (kernel_certificate.dual_certificate, {"kernel": np.eye(3), "Y": LABELS, "mu": 0.25}),
    (kernel_ridge.objective, {"A": LABELS, "k": GRAM, "Y": LABELS, "mu": 0.25}),
    (kernel_ridge.optimal_coefficients, {"k": GRAM, "Y": LABELS, "mu": 0.25}),
    (kernel_ridge.reduced_objective, {"k": GRAM, "Y": LABELS, "mu": 0.25}),
    (kernel_ridge.solve, {"Y": LABELS, "mu": 0.25, "largest_diagonal": 2.0}),
    (mahalanobis.collapsing_metric, {"X": X, "Y": LABELS, "distance": 2.0}),
    (relu_distance.distance_ratio_bounds, {"theta": [0.5, 1.0], "D": 3}),
    (relu_distance.opposite_distance_ratio, {"D": 3}),
    (relu_kernel.derive_moment, {"p": 1, "q": 1}),
    (relu_kernel.enclose_expected_product, {"r": 0.25, "digits": 5, "time_limit": 8.0}),
    (relu_kernel.product_moment_bound, {"p": 3}),
    (ufm.least_over_scale, {"L": 2, "log_kappa": -4.0, "eigenvalues": np.ones(2)}),
    (ufm.search, {"problem": PROBLEM, "starts": 2, "seed": 1, "tolerance": 0.125, "iterations": 3}),
    (ufm.within_class_deviation, {"features": X, "n": 3}),
    (
        relu_epsilon.feature_gap,
        {"layer": 2, "K": 2, "lams": LAMS[:3], "widths": [4], "activation": ufm.ReLUEpsilon(0.5), "n": 2},
    ),
    (two_layers.few_classes, {"K": 7}),
    (relu_epsilon.fit_gap, {"gap": 0.5, "K": 3}),
    (relu_epsilon.minimiser_gap, {"delta": 0.5, "convexity": 2.0}),
    (relu_epsilon.output_gap, {"epsilon": 0.25, "widths": [4, 4], "norms": [2.0, 3.0]}),
    (coq.pieces, {"coefficients": (1, -1, 0, 0, 1), "at_least": 0}),
    (two_layers.balanced_cuts, {"r": 6}),
    (two_layers.balanced_cuts_beat_collapse, {"m_from": 3}),
    (two_layers.least_loss, {"pre_activations": np.eye(3), "log_kappa": -3.0}),
    (strong_collapse.snc_point, {"K": 3, "n": 4, "m": 2}),
    (strong_collapse.least_risk, {"K": 5, "n": 3, "m": 2}),
    (strong_collapse.eigenvalues, {"K": 3, "n": 4, "t": 0.5}),
    (strong_collapse.sharp_constant, {"K": 3, "n": 4}),
    (strong_collapse.linearised_operator, {"A": X.T, "F": X, "beta": 0.25}),
    (strong_collapse.linearised_flow, {"A": X.T, "F": X, "t": 0.5}),
    (strong_collapse.flow_on_collapse_subspace, {"A": [[0.5], [-0.5]], "n": 2, "t": 0.5, "beta": 0.25}),
    (strong_collapse.gradient_flow, {"A": X.T / 4, "F": X / 4, "times": [0.0, 0.5], "rtol": 1e-6}),
    (strong_collapse.gradient_descent, {"A": X.T[None] / 4, "F": X[None] / 4, "step": 0.125, "steps": 4, "every": 2}),
    (strong_collapse.critical_point, {"A": np.zeros((3, 2)), "F": np.zeros((2, 3)), "b": np.ones(3) / 3,
                                      "tolerance": 1e-8}),
    (strong_collapse.symmetric_matrix, {"K": 3, "n": 2}),
]  # fmt: skip

#: Calls of the functions that take no number: arrays, graphs, problems and points.
OTHER_CALLS = [
    (collapse_map.collapsed_gram, {"Y": LABELS}),
    (kernel_ridge.collapsed_kernel, {"Y": LABELS}),
    (mahalanobis.metric_realising, {"X": X, "R": GRAM}),
    (mahalanobis.mahalanobis_kernel, {"X": X, "M": GRAM, "phi": np.cos}),
    (relu_distance.distance_ratio, {"theta": np.array([0.25, 1.0])}),
    (relu_distance.distance_ratio_slope, {"theta": np.array([0.25, 1.0])}),
    (relu_distance.squared_distance_variance, {"theta": np.array([0.25, 1.0])}),
    (relu_kernel.expected_product, {"r": np.array([0.25, 1.0])}),
    (relu_kernel.product_variance, {"r": np.array([0.25, 1.0])}),
    (graph_names.family, {"graph": nx.path_graph(3)}),
    (graph_names.graph_name, {"graph": nx.path_graph(3)}),
    (graph_names.line_graph_name, {"graph": nx.path_graph(3)}),
    (theory.labels.as_one_hot, {"Y": LABELS}),
    (theory.labels.class_sizes, {"Y": LABELS}),
    (theory.woodbury.updated_inverse, {"P_inverse": GRAM, "U": X, "V": X}),
    (two_layers.solution, {"pre_activations": np.eye(2), "problem": PROBLEM}),
    (ufm.collapsed_point, {"problem": PROBLEM}),
    (ufm.objective, {"problem": PROBLEM, "features": np.eye(2), "weights": [np.eye(2)] * 2}),
    (ufm.objective_and_gradient, {"problem": PROBLEM, "features": np.eye(2), "weights": [np.eye(2)] * 2}),
    (strong_collapse.risk, {"A": X.T, "F": X, "b": X[0]}),
    (strong_collapse.residual, {"A": X.T, "F": X, "b": X[0]}),
    (strong_collapse.gradient, {"A": X.T, "F": X, "b": X[0]}),
    (strong_collapse.curvature, {"A": X.T, "F": X, "b": X[0], "dA": X.T, "dF": X, "db": X[0]}),
    (strong_collapse.snc_errors, {"A": X.T, "F": X, "b": X[0]}),
    (strong_collapse.distance_from_collapse_subspace, {"A": X.T, "F": X, "b": X[0]}),
    (strong_collapse.imbalance, {"A": X.T, "F": X}),
    (strong_collapse.eigenspaces, {"A": X.T, "F": X}),
]
