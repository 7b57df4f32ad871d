//! The operations that clients of object stores use.

use std::collections::BTreeSet;

use super::http::{Request, Response, decoded};
use super::objects::{Condition, Object, Objects, Refused};

/// How many keys a page of a listing holds. Few, so that clients have to ask for the next.
const PAGE: usize = 50;

pub(super) fn answer(request: &Request, objects: &Objects) -> Response {
    let (bucket, key) = request.place();
    if !objects.has_bucket(&bucket) {
        return Response::error(404, "NoSuchBucket", "there is no such bucket");
    }
    let has = |name: &str| request.query.contains_key(name);
    match (request.method.as_str(), key.is_empty()) {
        ("GET", true) if has("list-type") => list(request, objects, &bucket),
        ("POST", true) if has("delete") => delete_many(request, objects, &bucket),
        ("GET" | "HEAD", false) => get(request, objects, &bucket, &key),
        ("PUT", false) if has("uploadId") => put_part(request, objects),
        ("PUT", false) => put(request, objects, &bucket, &key),
        ("POST", false) if has("uploads") => begin_upload(objects, &bucket, &key),
        ("POST", false) if has("uploadId") => complete_upload(request, objects, &bucket, &key),
        ("DELETE", false) if has("uploadId") => {
            objects.abort_upload(&request.query["uploadId"]);
            Response::empty(204)
        }
        ("DELETE", false) => {
            objects.remove(&bucket, &key);
            Response::empty(204)
        }
        _ => Response::error(501, "NotImplemented", "the tests need no such operation"),
    }
}

fn get(request: &Request, objects: &Objects, bucket: &str, key: &str) -> Response {
    let Some(object) = objects.get(bucket, key) else {
        return Response::error(404, "NoSuchKey", "there is no such object");
    };
    if request
        .header("if-match")
        .is_some_and(|tag| !is_tag(tag, &object))
    {
        return Response::error(412, "PreconditionFailed", "it is another content");
    }
    if request
        .header("if-none-match")
        .is_some_and(|tag| is_tag(tag, &object))
    {
        return Response::empty(304);
    }
    let size = object.content.len();
    let response = match request.header("range") {
        None => Response {
            status: 200,
            headers: Vec::new(),
            body: object.content.as_ref().clone(),
        },
        Some(range) => match bounds(range, size) {
            None => return Response::error(416, "InvalidRange", "there are no such bytes"),
            Some((start, end)) => Response {
                status: 206,
                headers: Vec::new(),
                body: object.content[start..end].to_vec(),
            }
            .with("Content-Range", format!("bytes {start}-{}/{size}", end - 1)),
        },
    };
    let length = response.body.len();
    response
        .with("ETag", quoted(&object))
        .with("Last-Modified", http_date(object.modified_s))
        .with("Content-Length", length.to_string())
}

fn put(request: &Request, objects: &Objects, bucket: &str, key: &str) -> Response {
    let content = match request.header("x-amz-copy-source") {
        None => request.body.clone(),
        Some(source) => {
            let source = decoded(source.trim_start_matches('/'));
            let found = source
                .split_once('/')
                .and_then(|(bucket, key)| objects.get(bucket, key));
            match found {
                Some(object) => object.content.as_ref().clone(),
                None => return Response::error(404, "NoSuchKey", "there is no such object"),
            }
        }
    };
    let is_copy = request.header("x-amz-copy-source").is_some();
    match objects.put(bucket, key, content, &condition(request)) {
        Ok(object) if is_copy => Response::xml(format!(
            "<CopyObjectResult><ETag>{}</ETag><LastModified>{}</LastModified></CopyObjectResult>",
            escaped(&quoted(&object)),
            iso_date(object.modified_s)
        )),
        Ok(object) => Response::empty(200).with("ETag", quoted(&object)),
        Err(why) => refused(&why),
    }
}

fn begin_upload(objects: &Objects, bucket: &str, key: &str) -> Response {
    Response::xml(format!(
        "<InitiateMultipartUploadResult><Bucket>{bucket}</Bucket><Key>{}</Key>\
         <UploadId>{}</UploadId></InitiateMultipartUploadResult>",
        escaped(key),
        objects.begin_upload()
    ))
}

fn put_part(request: &Request, objects: &Objects) -> Response {
    let number = request.query.get("partNumber").and_then(|n| n.parse().ok());
    let id = &request.query["uploadId"];
    match objects.add_part(id, number.unwrap_or(0), request.body.clone()) {
        Ok(tag) => Response::empty(200).with("ETag", format!("\"{tag}\"")),
        Err(why) => refused(&why),
    }
}

fn complete_upload(request: &Request, objects: &Objects, bucket: &str, key: &str) -> Response {
    let id = &request.query["uploadId"];
    match objects.complete_upload(id, bucket, key, &condition(request)) {
        Ok(object) => Response::xml(format!(
            "<CompleteMultipartUploadResult><Bucket>{bucket}</Bucket><Key>{}</Key>\
             <ETag>{}</ETag></CompleteMultipartUploadResult>",
            escaped(key),
            escaped(&quoted(&object))
        )),
        Err(why) => refused(&why),
    }
}

fn delete_many(request: &Request, objects: &Objects, bucket: &str) -> Response {
    let text = String::from_utf8_lossy(&request.body);
    let mut answer = "<DeleteResult>".to_owned();
    for part in text.split("<Key>").skip(1) {
        let key = part.split("</Key>").next().unwrap_or_default();
        objects.remove(bucket, &unescaped(key));
        answer.push_str(&format!("<Deleted><Key>{key}</Key></Deleted>"));
    }
    answer.push_str("</DeleteResult>");
    Response::xml(answer)
}

fn list(request: &Request, objects: &Objects, bucket: &str) -> Response {
    let query = |name: &str| request.query.get(name).cloned().unwrap_or_default();
    let prefix = query("prefix");
    let delimiter = Some(query("delimiter")).filter(|delimiter| !delimiter.is_empty());
    let after = match request.query.get("continuation-token") {
        Some(token) => token.clone(),
        None => query("start-after"),
    };
    let mut contents = String::new();
    let mut n_contents = 0;
    let mut folders: BTreeSet<String> = BTreeSet::new();
    let mut next = None;
    let mut last = String::new();
    for (key, object) in objects.list(bucket, &prefix, &after) {
        let folder = delimiter.as_deref().and_then(|delimiter| {
            let end = key[prefix.len()..].find(delimiter)? + delimiter.len();
            Some(key[..prefix.len() + end].to_owned())
        });
        let is_new = folder
            .as_ref()
            .is_none_or(|folder| !folders.contains(folder));
        if is_new && n_contents + folders.len() == PAGE {
            next = Some(last);
            break;
        }
        last.clone_from(&key);
        match folder {
            // A page that ends in a folder goes on in it, and names it again.
            Some(folder) => {
                folders.insert(folder);
            }
            None => {
                n_contents += 1;
                contents.push_str(&format!(
                    "<Contents><Key>{}</Key><LastModified>{}</LastModified><ETag>{}</ETag>\
                     <Size>{}</Size></Contents>",
                    escaped(&key),
                    iso_date(object.modified_s),
                    escaped(&quoted(&object)),
                    object.content.len()
                ));
            }
        }
    }
    for folder in folders {
        contents.push_str(&format!(
            "<CommonPrefixes><Prefix>{}</Prefix></CommonPrefixes>",
            escaped(&folder)
        ));
    }
    let more = match &next {
        Some(token) => format!(
            "<IsTruncated>true</IsTruncated><NextContinuationToken>{}</NextContinuationToken>",
            escaped(token)
        ),
        None => "<IsTruncated>false</IsTruncated>".to_owned(),
    };
    Response::xml(format!(
        "<ListBucketResult><Name>{bucket}</Name><Prefix>{}</Prefix>{more}{contents}\
         </ListBucketResult>",
        escaped(&prefix)
    ))
}

fn condition(request: &Request) -> Condition {
    match (request.header("if-match"), request.header("if-none-match")) {
        (_, Some(_)) => Condition::Absent,
        (Some(tag), None) => Condition::Tag(tag.trim_matches('"').to_owned()),
        (None, None) => Condition::None,
    }
}

fn refused(why: &Refused) -> Response {
    match why {
        Refused::NoBucket => Response::error(404, "NoSuchBucket", "there is no such bucket"),
        Refused::NoUpload => Response::error(404, "NoSuchUpload", "there is no such upload"),
        Refused::Condition => {
            Response::error(412, "PreconditionFailed", "the condition does not hold")
        }
    }
}

/// The first and the end of the bytes that a range asks for.
fn bounds(range: &str, size: usize) -> Option<(usize, usize)> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let (start, end) = match (first, last) {
        ("", length) => (size.saturating_sub(length.parse().ok()?), size),
        (first, "") => (first.parse().ok()?, size),
        (first, last) => (
            first.parse().ok()?,
            last.parse::<usize>().ok()?.checked_add(1)?,
        ),
    };
    (start < size && start < end).then_some((start, end.min(size)))
}

fn is_tag(text: &str, object: &Object) -> bool {
    text == "*" || text.trim_matches('"') == object.tag
}

fn quoted(object: &Object) -> String {
    format!("\"{}\"", object.tag)
}

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    text.replace('>', "&gt;").replace('"', "&quot;")
}

fn unescaped(text: &str) -> String {
    let text = text.replace("&lt;", "<").replace("&gt;", ">");
    let text = text.replace("&quot;", "\"").replace("&apos;", "'");
    text.replace("&amp;", "&")
}

/// `2023-11-14T22:13:21.000Z`
fn iso_date(seconds: u64) -> String {
    let (hour, minute, second) = time_of_day(seconds);
    let (year, month, day) = civil(seconds / 86_400);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.000Z")
}

/// `Tue, 14 Nov 2023 22:13:21 GMT`
fn http_date(seconds: u64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let days = seconds / 86_400;
    let weekday = DAYS[usize::try_from(days % 7).unwrap_or(0)];
    let (hour, minute, second) = time_of_day(seconds);
    let (year, month, day) = civil(days);
    let month = MONTHS[month - 1];
    format!("{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} GMT")
}

fn time_of_day(seconds: u64) -> (u64, u64, u64) {
    let second = seconds % 86_400;
    (second / 3_600, second / 60 % 60, second % 60)
}

/// Year, month and day of a day since 1970, counted through the years.
fn civil(mut days: u64) -> (u64, usize, u64) {
    let is_leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let mut year = 1970;
    loop {
        let length = if is_leap(year) { 366 } else { 365 };
        if days < length {
            break;
        }
        days -= length;
        year += 1;
    }
    let february = if is_leap(year) { 29 } else { 28 };
    let lengths = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 1;
    for length in lengths {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    (year, month, days + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(iso_date(1_700_000_001), "2023-11-14T22:13:21.000Z");
        assert_eq!(http_date(1_700_000_001), "Tue, 14 Nov 2023 22:13:21 GMT");
        assert_eq!(iso_date(951_782_400), "2000-02-29T00:00:00.000Z");
        assert_eq!(iso_date(0), "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn a_range_may_be_open_on_either_side() {
        assert_eq!(bounds("bytes=0-3", 10), Some((0, 4)));
        assert_eq!(bounds("bytes=7-", 10), Some((7, 10)));
        assert_eq!(bounds("bytes=-3", 10), Some((7, 10)));
        assert_eq!(bounds("bytes=5-99", 10), Some((5, 10)));
        assert_eq!(bounds("bytes=10-", 10), None);
    }
}
