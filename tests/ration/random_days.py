"""Random tiny days."""

import numpy as np
from hypothesis import strategies as st
from sparing.ration.day import Day
from sparing.ration.margins import Margins, Supplier
from sparing.ration.orders import Orders


@st.composite
def tiny_days(draw, *, max_orders=9, max_suppliers=2):
    num_skus, num_orders = draw(st.integers(1, 4)), draw(st.integers(0, max_orders))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    asked = rng.random((num_orders, num_skus)) < draw(st.sampled_from([0.3, 0.6, 1.0]))
    orders = np.where(asked, rng.integers(1, 6, asked.shape), 0)
    own = rng.integers(-2, 30, num_skus) / 2.0  # ties happen
    suppliers = []
    for i in range(draw(st.integers(1, max_suppliers))):
        share = rng.uniform(0.3, 1.1)
        suppliers.append(
            Supplier(
                name=f"supplier {i}",
                margin=np.round(own * share, 1),
                delay_probability=float(rng.integers(0, 3)) / 4.0,
                delay_penalty=float(rng.integers(0, 20)),
            )
        )
    return Day(
        stock=rng.integers(0, draw(st.sampled_from([4, 12, 40])), num_skus),
        orders=Orders.from_dense(orders, num_skus=num_skus),
        margins=Margins(own=own, suppliers=tuple(suppliers)),
    )
