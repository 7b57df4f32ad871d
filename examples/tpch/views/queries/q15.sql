-- Top supplier: who earned the most in the first quarter of 1996.
select
    s_suppkey,
    s_name,
    s_address,
    s_phone,
    total_revenue
from supplier_nation
join supplier_revenue_1996q1 on supplier_no = s_suppkey
where total_revenue = (
        select max(total_revenue)
        from supplier_revenue_1996q1
    )
order by s_suppkey
