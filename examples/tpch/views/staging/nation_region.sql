-- The nations with the name of their region.
select
    n_nationkey,
    n_name,
    r_name as n_region
from nation
join region on r_regionkey = n_regionkey
