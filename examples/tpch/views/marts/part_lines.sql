-- Every line of an order with the part it sold.
select
    p_partkey,
    p_name,
    p_brand,
    p_type,
    p_size,
    p_container,
    l_orderkey,
    l_suppkey,
    l_quantity,
    l_extendedprice,
    l_shipdate,
    l_shipinstruct,
    l_shipmode,
    l_revenue
from part
join line_revenue on l_partkey = p_partkey
