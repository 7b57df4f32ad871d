-- Product type profit measure: profit on green parts, by the supplier's nation and year.
select
    s_nation as nation,
    extract(year from o_orderdate) as o_year,
    sum(l_revenue - ps_supplycost * l_quantity) as sum_profit
from part_lines
join part_supply on ps_partkey = p_partkey and ps_suppkey = l_suppkey
join orders on o_orderkey = l_orderkey
where p_name like '%green%'
group by nation, o_year
order by nation, o_year desc
