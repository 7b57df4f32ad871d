-- Important stock identification: parts that make up a notable share of the German stock.
-- The share is 0.0001 divided by the scale factor, and there are 10,000 suppliers for each unit of it:
-- the limit is the value of the whole stock divided by the number of all suppliers.
select
    ps_partkey,
    sum(ps_value) as value
from part_supply
where s_nation = 'GERMANY'
group by ps_partkey
having sum(ps_value) > (
        select sum(ps_value)
        from part_supply
        where s_nation = 'GERMANY'
    ) / (
        select count(*)
        from supplier
    )
order by value desc, ps_partkey
