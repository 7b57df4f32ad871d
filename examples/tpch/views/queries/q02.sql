-- Minimum cost supplier: who in Europe offers each brass part of size 15 at the lowest cost.
select
    s_acctbal,
    s_name,
    s_nation as n_name,
    p_partkey,
    p_mfgr,
    s_address,
    s_phone,
    s_comment
from part
join part_supply on ps_partkey = p_partkey
where p_size = 15
    and p_type like '%BRASS'
    and s_region = 'EUROPE'
    and ps_supplycost = (
        select min(cheapest.ps_supplycost)
        from part_supply as cheapest
        where cheapest.ps_partkey = p_partkey
            and cheapest.s_region = 'EUROPE'
    )
order by s_acctbal desc, n_name, s_name, p_partkey
limit 100
