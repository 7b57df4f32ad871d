select
    region,
    count(*) as n_orders,
    sum(amount_cents) as amount_cents
from paid_orders
group by region
