-- Orders that are paid, with their customers. Nothing is written: the view has no sidecar.
select
    orders.order_id,
    orders.ordered_on,
    orders.amount_cents,
    customers.customer_id,
    customers.name,
    customers.region
from orders
join customers on customers.customer_id = orders.customer_id
where orders.status = 'paid'
