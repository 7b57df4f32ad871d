-- Local supplier volume: revenue where customer and supplier are of the same Asian nation.
select
    s_nation as n_name,
    sum(l_revenue) as revenue
from customer_orders
join line_revenue on l_orderkey = o_orderkey
join supplier_nation on s_suppkey = l_suppkey and s_nationkey = c_nationkey
where s_region = 'ASIA'
    and o_orderdate >= date '1994-01-01'
    and o_orderdate < date '1994-01-01' + interval '1' year
group by s_nation
order by revenue desc
