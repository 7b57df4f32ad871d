-- Global sales opportunity: customers of seven countries with good balances who have never ordered.
select
    country_code as cntrycode,
    count(*) as numcust,
    sum(c_acctbal) as totacctbal
from customer_activity
where country_code in ('13', '31', '23', '29', '30', '18', '17')
    and order_count = 0
    and c_acctbal > (
        select avg(c_acctbal)
        from customer_activity
        where c_acctbal > 0.00
            and country_code in ('13', '31', '23', '29', '30', '18', '17')
    )
group by country_code
order by country_code
