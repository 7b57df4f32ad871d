-- Returned item reporting: the twenty customers who sent back the most in a quarter.
-- The customer key, last in the sort, decides between equals.
select
    c_custkey,
    c_name,
    sum(l_revenue) as revenue,
    c_acctbal,
    n_name,
    c_address,
    c_phone,
    c_comment
from customer_orders
join line_revenue on l_orderkey = o_orderkey
join nation_region on n_nationkey = c_nationkey
where o_orderdate >= date '1993-10-01'
    and o_orderdate < date '1993-10-01' + interval '3' month
    and l_returnflag = 'R'
group by c_custkey, c_name, c_acctbal, c_phone, n_name, c_address, c_comment
order by revenue desc, c_custkey
limit 20
