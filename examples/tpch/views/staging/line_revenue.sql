-- Every line of an order with what it earned: after discount, and after discount and tax.
select
    l_orderkey,
    l_partkey,
    l_suppkey,
    l_linenumber,
    l_quantity,
    l_extendedprice,
    l_discount,
    l_tax,
    l_returnflag,
    l_linestatus,
    l_shipdate,
    l_shipinstruct,
    l_shipmode,
    l_extendedprice * (1 - l_discount) as l_revenue,
    l_extendedprice * (1 - l_discount) * (1 + l_tax) as l_charge
from lineitem
