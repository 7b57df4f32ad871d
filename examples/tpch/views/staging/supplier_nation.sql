-- The suppliers with their nation and region by name.
select
    s_suppkey,
    s_name,
    s_address,
    s_phone,
    s_acctbal,
    s_comment,
    s_nationkey,
    n_name as s_nation,
    n_region as s_region
from supplier
join nation_region on n_nationkey = s_nationkey
