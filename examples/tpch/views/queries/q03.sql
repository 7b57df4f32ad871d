-- Shipping priority: the ten unshipped orders of the building segment with the largest revenue.
-- The order key, last in the sort, decides between equals.
select
    l_orderkey,
    sum(l_revenue) as revenue,
    o_orderdate,
    o_shippriority
from customer_orders
join line_revenue on l_orderkey = o_orderkey
where c_mktsegment = 'BUILDING'
    and o_orderdate < date '1995-03-15'
    and l_shipdate > date '1995-03-15'
group by l_orderkey, o_orderdate, o_shippriority
order by revenue desc, o_orderdate, l_orderkey
limit 10
