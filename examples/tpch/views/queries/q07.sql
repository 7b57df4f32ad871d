-- Volume shipping: trade between France and Germany, in both directions, by year.
select
    s_nation as supp_nation,
    n_name as cust_nation,
    extract(year from l_shipdate) as l_year,
    sum(l_revenue) as revenue
from supplier_nation
join line_revenue on l_suppkey = s_suppkey
join customer_orders on o_orderkey = l_orderkey
join nation_region on n_nationkey = c_nationkey
where (
        (s_nation = 'FRANCE' and n_name = 'GERMANY')
        or (s_nation = 'GERMANY' and n_name = 'FRANCE')
    )
    and l_shipdate between date '1995-01-01' and date '1996-12-31'
group by supp_nation, cust_nation, l_year
order by supp_nation, cust_nation, l_year
