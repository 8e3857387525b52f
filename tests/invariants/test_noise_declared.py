"""noise_declared: cases for the conformance suite."""

HEAD = "(query, measure, cell, mechanism, scale, epsilon, delta, rho)"
ROWS = f"""SELECT * FROM (VALUES
    ('visits', 'count', 'all', 'discrete_laplace', 10.0, 0.5, 0.0, NULL::DOUBLE),
    ('stay', 'count', 'ward=a', 'discrete_laplace', 20.0, 0.25, 0.0, NULL),
    ('stay', 'count', 'ward=b', 'discrete_laplace', 20.0, 0.25, 0.0, NULL),
    ('stay', 'mean', 'ward=a', 'discrete_laplace', 40.0, 0.25, 0.0, NULL)) AS t{HEAD}"""
RHO = f"""SELECT * FROM (VALUES
    ('visits', 'count', 'a', 'discrete_gaussian', 10.0, 1.5, 1e-6, 0.25),
    ('visits', 'count', 'b', 'discrete_gaussian', 10.0, 1.5, 1e-6, 0.25),
    ('stay', 'sum', 'all', 'discrete_gaussian', 20.0, 1.0, 1e-6, 0.125)) AS t{HEAD}"""
PURE = {"epsilon_at_most": 1.0}
IN_RHO = {"epsilon_at_most": 2.0, "delta_at_most": 1e-6, "rho_at_most": 0.375}


def without(old: str, new: str) -> str:
    assert old in ROWS
    return ROWS.replace(old, new, 1)


KEPT = [
    {"asks": PURE, "output": ROWS, "numbers": {"rows": 4, "epsilon_spent": 1.0, "rho_spent": 0.0}},
    {"asks": IN_RHO, "output": RHO, "numbers": {"rows": 3, "rho_spent": 0.375, "delta": 1e-6}},
]
BROKEN = [
    {"asks": {"epsilon_at_most": 0.99}, "output": ROWS},
    {"asks": IN_RHO | {"rho_at_most": 0.37}, "output": RHO},
    {"asks": IN_RHO | {"delta_at_most": 1e-7}, "output": RHO},
    {"asks": PURE, "output": without("10.0", "0.0"), "numbers": {"unnoised": 1}},
    {"asks": PURE, "output": without("10.0", "'inf'::DOUBLE"), "numbers": {"unnoised": 1}},
    {"asks": PURE, "output": without("'discrete_laplace'", "NULL"), "numbers": {"unnoised": 1}},
    {"asks": PURE, "output": without("0.5, 0.0", "NULL, 0.0"), "numbers": {"unnoised": 1}},
    {"asks": IN_RHO, "output": RHO.replace("0.125", "NULL"), "numbers": {"unnoised": 1}},
    {"asks": PURE, "output": without("20.0, 0.25", "20.0, 0.125"), "numbers": {"disagreeing": 1}},
]
