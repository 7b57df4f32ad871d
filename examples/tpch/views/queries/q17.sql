-- Small-quantity-order revenue: what would be lost each year if small orders of a part were not taken.
select sum(l_extendedprice) / 7.0 as avg_yearly
from part_lines
where p_brand = 'Brand#23'
    and p_container = 'MED BOX'
    and l_quantity < (
        select 0.2 * avg(every.l_quantity)
        from lineitem as every
        where every.l_partkey = p_partkey
    )
