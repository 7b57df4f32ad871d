-- One row for each customer: the balance, and how many orders, with and without special requests.
select
    c_custkey,
    substring(c_phone from 1 for 2) as country_code,
    c_acctbal,
    count(o_orderkey) as order_count,
    count(o_orderkey) filter (where o_comment not like '%special%requests%') as ordinary_order_count
from customer
left join orders on o_custkey = c_custkey
group by c_custkey, c_phone, c_acctbal
