-- Customer distribution: how many customers have placed how many ordinary orders.
select
    ordinary_order_count as c_count,
    count(*) as custdist
from customer_activity
group by ordinary_order_count
order by custdist desc, c_count desc
