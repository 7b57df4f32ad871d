-- Order priority checking: orders of a quarter in which at least one line came late.
select
    o_orderpriority,
    count(*) as order_count
from orders
where o_orderdate >= date '1993-07-01'
    and o_orderdate < date '1993-07-01' + interval '3' month
    and exists (
        select 1
        from late_lines
        where l_orderkey = o_orderkey
    )
group by o_orderpriority
order by o_orderpriority
