-- Which supplier has which part in stock, at what cost and worth how much.
select
    ps_partkey,
    ps_suppkey,
    ps_availqty,
    ps_supplycost,
    ps_supplycost * ps_availqty as ps_value,
    s_name,
    s_address,
    s_phone,
    s_acctbal,
    s_comment,
    s_nation,
    s_region
from partsupp
join supplier_nation on s_suppkey = ps_suppkey
