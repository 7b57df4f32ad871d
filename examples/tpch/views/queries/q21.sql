-- Suppliers who kept orders waiting: Saudi suppliers who alone made an order of several suppliers late.
select
    s_name,
    count(*) as numwait
from supplier_nation
join late_lines as late on late.l_suppkey = s_suppkey
join orders on o_orderkey = late.l_orderkey
where s_nation = 'SAUDI ARABIA'
    and o_orderstatus = 'F'
    and exists (
        select 1
        from lineitem as other
        where other.l_orderkey = late.l_orderkey
            and other.l_suppkey <> late.l_suppkey
    )
    and not exists (
        select 1
        from late_lines as other_late
        where other_late.l_orderkey = late.l_orderkey
            and other_late.l_suppkey <> late.l_suppkey
    )
group by s_name
order by numwait desc, s_name
limit 100
