-- Promotion effect: the percentage of a month's revenue that came from promoted parts.
select
    100.00 * sum(case when p_type like 'PROMO%' then l_revenue else 0 end) / sum(l_revenue) as promo_revenue
from part_lines
where l_shipdate >= date '1995-09-01'
    and l_shipdate < date '1995-09-01' + interval '1' month
