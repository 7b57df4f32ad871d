-- The orders with the customer who placed them.
select
    o_orderkey,
    o_orderdate,
    o_orderstatus,
    o_totalprice,
    o_orderpriority,
    o_shippriority,
    c_custkey,
    c_name,
    c_address,
    c_phone,
    c_acctbal,
    c_mktsegment,
    c_comment,
    c_nationkey
from customer
join orders on o_custkey = c_custkey
