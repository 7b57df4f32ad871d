select sum(l_extendedprice) / 100.0 / 7.0 as avg_yearly
from lineitem as small, part
where p_partkey = small.l_partkey
    and p_brand = 'Brand#23'
    and p_container = 'MED BOX'
    and small.l_quantity < (
        select 0.2 * avg(l_quantity)
        from lineitem
        where l_partkey = p_partkey
    )
