-- National market share: Brazil's part of what America paid for one type of part, by year.
select
    extract(year from o_orderdate) as o_year,
    sum(case when s_nation = 'BRAZIL' then l_revenue else 0 end) / sum(l_revenue) as mkt_share
from part_lines
join customer_orders on o_orderkey = l_orderkey
join nation_region on n_nationkey = c_nationkey
join supplier_nation on s_suppkey = l_suppkey
where n_region = 'AMERICA'
    and o_orderdate between date '1995-01-01' and date '1996-12-31'
    and p_type = 'ECONOMY ANODIZED STEEL'
group by o_year
order by o_year
