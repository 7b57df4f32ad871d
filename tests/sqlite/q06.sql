select sum(l_extendedprice * l_discount) as revenue_e4
from lineitem
where l_shipdate >= '1994-01-01'
    and l_shipdate < date('1994-01-01', '+1 year')
    and l_discount between 6 - 1 and 6 + 1
    and l_quantity < 24
