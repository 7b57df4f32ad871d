-- The TPC-H tables, with the columns that the queries use. Money is in cents (names as in the
-- specification), discounts and taxes are in percent, quantities are whole numbers, dates are text.
create table region (r_regionkey integer primary key, r_name text not null);
create table nation (n_nationkey integer primary key, n_name text not null, n_regionkey integer not null);
create table supplier (
    s_suppkey integer primary key,
    s_name text not null,
    s_address text not null,
    s_nationkey integer not null,
    s_phone text not null,
    s_acctbal integer not null,
    s_comment text not null
);
create table customer (
    c_custkey integer primary key,
    c_name text not null,
    c_address text not null,
    c_nationkey integer not null,
    c_phone text not null,
    c_acctbal integer not null,
    c_mktsegment text not null,
    c_comment text not null
);
create table part (
    p_partkey integer primary key,
    p_name text not null,
    p_mfgr text not null,
    p_brand text not null,
    p_type text not null,
    p_size integer not null,
    p_container text not null
);
create table partsupp (
    ps_partkey integer not null,
    ps_suppkey integer not null,
    ps_availqty integer not null,
    ps_supplycost integer not null
);
create table orders (
    o_orderkey integer primary key,
    o_custkey integer not null,
    o_orderstatus text not null,
    o_totalprice integer not null,
    o_orderdate text not null,
    o_orderpriority text not null,
    o_shippriority integer not null,
    o_comment text not null
);
create table lineitem (
    l_orderkey integer not null,
    l_partkey integer not null,
    l_suppkey integer not null,
    l_quantity integer not null,
    l_extendedprice integer not null,
    l_discount integer not null,
    l_tax integer not null,
    l_returnflag text not null,
    l_linestatus text not null,
    l_shipdate text not null,
    l_commitdate text not null,
    l_receiptdate text not null,
    l_shipinstruct text not null,
    l_shipmode text not null
);
