//! Asynchronous functions against a service on the loopback interface.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use codeanatomy_udf::{AsyncLimits, limited};
use codeanatomy_vocab::Error;
use datafusion::arrow::array::{ArrayRef, AsArray, StringArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{DataFusionError, Result, exec_datafusion_err, exec_err};
use datafusion::logical_expr::async_udf::{AsyncScalarUDF, AsyncScalarUDFImpl};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::prelude::{SessionConfig, SessionContext};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

use crate::support::{rows_of, run};

/// An HTTP service that answers with its request in capitals, line by line.
#[derive(Debug, Default)]
struct Service {
    running: AtomicUsize,
    most: AtomicUsize,
    requests: AtomicUsize,
}

impl Service {
    async fn start(self: &Arc<Self>) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let service = Arc::clone(self);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let service = Arc::clone(&service);
                tokio::spawn(async move {
                    let running = service.running.fetch_add(1, Ordering::SeqCst) + 1;
                    service.most.fetch_max(running, Ordering::SeqCst);
                    service.requests.fetch_add(1, Ordering::SeqCst);
                    answer(stream, &service.running).await;
                });
            }
        });
        address
    }
}

/// Answers one request. It no longer runs once its answer is on the way: the client may ask again
/// before anything else happens here.
async fn answer(stream: TcpStream, running: &AtomicUsize) {
    let mut stream = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.unwrap();
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    let body = String::from_utf8(body).unwrap();
    if body.contains("hang") {
        // Until the client goes.
        let _ = stream.read(&mut [0]).await;
        running.fetch_sub(1, Ordering::SeqCst);
        return;
    }
    sleep(Duration::from_millis(20)).await;
    let (status, body) = match body.contains("broken") {
        true => ("500 Internal Server Error", "out of order".to_owned()),
        false => ("200 OK", body.to_uppercase()),
    };
    let response = format!(
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    running.fetch_sub(1, Ordering::SeqCst);
    let _ = stream.write_all(response.as_bytes()).await;
}

/// `capitals(text)`: asks the service.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Capitals {
    address: SocketAddr,
    signature: Signature,
}

impl ScalarUDFImpl for Capitals {
    fn name(&self) -> &'static str {
        "capitals"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, _: ScalarFunctionArgs) -> Result<ColumnarValue> {
        exec_err!("asks a service")
    }
}

#[async_trait]
impl AsyncScalarUDFImpl for Capitals {
    async fn invoke_async_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let texts = args.args[0].to_array(args.number_rows)?;
        let texts: ArrayRef = cast(&texts, &DataType::Utf8)?;
        let lines: Vec<&str> = texts
            .as_string::<i32>()
            .iter()
            .map(Option::unwrap_or_default)
            .collect();
        let body = lines.join("\n");
        let answer = post(self.address, &body)
            .await
            .map_err(|error| exec_datafusion_err!("{error}"))?;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
        if !head.starts_with("HTTP/1.1 200") {
            let status = head.lines().next().unwrap_or_default();
            return exec_err!("the service says {status:?}");
        }
        let lines: Vec<&str> = body
            .split('\n')
            .filter(|line| !line.contains("LOST"))
            .collect();
        Ok(ColumnarValue::Array(Arc::new(
            StringArray::from_iter_values(lines),
        )))
    }
}

async fn post(address: SocketAddr, body: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!(
        "POST / HTTP/1.1\r\nHost: {address}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

async fn context(service: &Arc<Service>, limits: AsyncLimits) -> SessionContext {
    let address = service.start().await;
    let signature = Signature::string(1, Volatility::Volatile);
    let function = AsyncScalarUDF::new(Arc::new(Capitals { address, signature }));
    let function = limited(Arc::new(function.into_scalar_udf()), limits);
    let context = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(2));
    context.register_udf(function.as_ref().clone());
    context
}

fn values(texts: &[&str]) -> String {
    let rows: Vec<String> = texts
        .iter()
        .enumerate()
        .map(|(n, text)| format!("({n}, '{text}')"))
        .collect();
    format!(
        "select n, capitals(v) as c from (values {}) as t(n, v) order by n",
        rows.join(", ")
    )
}

const SMALL: AsyncLimits = AsyncLimits {
    timeout_ms: 5_000,
    batch_size: 2,
    concurrency: 3,
};

/// The error of this library inside of the engine's.
fn ours(error: &DataFusionError) -> &Error {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(found) = source {
        if let Some(ours) = found.downcast_ref::<Error>() {
            return ours;
        }
        source = found.source();
    }
    panic!("no error of the library in {error:?}");
}

#[test]
fn rows_keep_their_order_and_no_more_calls_run_than_the_limit_says() {
    run(async {
        let service = Arc::new(Service::default());
        let context = context(&service, SMALL).await;
        let texts: Vec<String> = (0..25).map(|n| format!("text{n}")).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let found = rows_of(&context, &values(&texts)).await.unwrap();
        let expected: Vec<String> = texts
            .iter()
            .enumerate()
            .map(|(n, text)| format!("{n} | {}", text.to_uppercase()))
            .collect();
        assert_eq!(found, expected);
        assert_eq!(service.requests.load(Ordering::SeqCst), 13);
        let most = service.most.load(Ordering::SeqCst);
        assert!((2..=3).contains(&most), "{most} calls at the same time");
        let empty = rows_of(
            &context,
            "select capitals(v) from (values ('a')) as t(v) where v = 'b'",
        )
        .await;
        assert_eq!(empty.unwrap(), Vec::<String>::new());
    });
}

#[test]
fn a_call_that_takes_too_long_fails_with_function_and_rows() {
    run(async {
        let service = Arc::new(Service::default());
        let limits = AsyncLimits {
            timeout_ms: 200,
            ..SMALL
        };
        let context = context(&service, limits).await;
        let sql = values(&["a", "b", "c", "hang", "e", "f", "g"]);
        let error = rows_of(&context, &sql).await.unwrap_err();
        let error = ours(&error);
        assert_eq!(error.code().id(), "CA-UDF-0035");
        assert_eq!(
            error.to_string(),
            "the function `capitals` took longer than 200 ms on rows 2 to 3 of a batch"
        );
        assert!(
            error.context().contains(&("rows", "2..4".to_owned())),
            "{error:?}"
        );
    });
}

#[test]
fn a_call_that_fails_fails_with_function_rows_and_cause() {
    run(async {
        let service = Arc::new(Service::default());
        let context = context(
            &service,
            AsyncLimits {
                batch_size: 1,
                ..SMALL
            },
        )
        .await;
        let error = rows_of(&context, &values(&["a", "broken"]))
            .await
            .unwrap_err();
        let error = ours(&error);
        assert_eq!(error.code().id(), "CA-UDF-0036");
        let text = error.to_string();
        assert!(
            text.starts_with("the function `capitals` failed: "),
            "{text}"
        );
        assert!(text.contains("500 Internal Server Error"), "{text}");
        assert!(text.ends_with("on row 1 of a batch"), "{text}");
    });
}

#[test]
fn too_few_values_are_an_error_and_not_other_rows() {
    run(async {
        let service = Arc::new(Service::default());
        let context = context(&service, SMALL).await;
        let error = rows_of(&context, &values(&["a", "lost"]))
            .await
            .unwrap_err();
        let text = ours(&error).to_string();
        assert_eq!(
            text,
            "the function `capitals` returned 1 values on rows 0 to 1 of a batch"
        );
    });
}

#[test]
fn a_cancelled_query_lets_go_of_its_calls() {
    run(async {
        let service = Arc::new(Service::default());
        let context = context(&service, SMALL).await;
        let sql = values(&["hang", "hang", "hang", "hang", "hang", "hang"]);
        let query = tokio::spawn(async move { rows_of(&context, &sql).await });
        let calls = async {
            while service.running.load(Ordering::SeqCst) < 3 {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(Duration::from_secs(20), calls)
            .await
            .expect("calls begin");
        query.abort();
        assert!(query.await.unwrap_err().is_cancelled());
        let gone = async {
            while service.running.load(Ordering::SeqCst) > 0 {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(Duration::from_secs(20), gone)
            .await
            .expect("calls end");
        assert_eq!(service.requests.load(Ordering::SeqCst), 3);
    });
}
