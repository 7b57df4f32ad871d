select
    customer_id,
    name,
    sum(amount_cents) as amount_cents,
    max(ordered_on) as last_ordered_on
from paid_orders
group by customer_id, name
having sum(amount_cents) >= 10000
