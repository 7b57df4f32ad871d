-- The lines that the customer received after the day that was promised.
select
    l_orderkey,
    l_suppkey,
    l_linenumber,
    l_shipdate,
    l_commitdate,
    l_receiptdate,
    l_shipmode
from lineitem
where l_receiptdate > l_commitdate
