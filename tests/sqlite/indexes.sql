-- Made after the rows are in.
create index partsupp_part on partsupp (ps_partkey, ps_suppkey);
create index partsupp_supplier on partsupp (ps_suppkey);
create index orders_customer on orders (o_custkey);
create index lineitem_order on lineitem (l_orderkey);
create index lineitem_part on lineitem (l_partkey, l_suppkey);
analyze;
