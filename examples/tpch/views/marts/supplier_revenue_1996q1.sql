-- What each supplier earned with the lines shipped in the first quarter of 1996.
select
    l_suppkey as supplier_no,
    sum(l_revenue) as total_revenue
from line_revenue
where l_shipdate >= date '1996-01-01'
    and l_shipdate < date '1996-01-01' + interval '3' month
group by l_suppkey
