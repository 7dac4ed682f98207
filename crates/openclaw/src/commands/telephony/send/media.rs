//! `--media`: URLs and files sent with a message, checked before anything is sent.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use telephony_domain::media_type;
use telephony_domain::message::{MediaToken, OutboundMedia, ServedFile};
use telephony_gateway::{control::status, picture, random};
use telephony_store::attachments::FileName;
use url::Url;

use crate::assemble::{self, Channel};
use crate::failure::Failure;
use crate::terminal;

/// Hint for a file that carriers do not accept.
const SMALLER: &str = "make the file smaller, convert it to another type, or put it on the web and send a link";

/// Attachments of a message.
pub struct MediaArguments(Vec<MediaArgument>);

enum MediaArgument {
    Url(String),
    File { path: PathBuf, content_type: String, bytes: Vec<u8> },
}

impl MediaArguments {
    /// Reads the named files and URLs; fails with the limit that one exceeds.
    pub fn read(named: &[String]) -> Result<MediaArguments, Failure> {
        let mut items = named.iter().map(|name| MediaArgument::read(name)).collect::<Result<Vec<_>, _>>()?;
        let mms = &assemble::carrier().mms;
        let too_many = |error| Failure::new(error).hint("split them over several messages");
        mms.check_count(items.len()).map_err(too_many)?;
        reduce(&mut items)?;
        items.iter().try_for_each(MediaArgument::check)?;
        let together = items.iter().map(MediaArgument::size).sum();
        mms.check_size(together).map_err(|error| Failure::new(error).hint(SMALLER))?;
        Ok(MediaArguments(items))
    }

    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Describes each attachment on one line, for `--dry-run`.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|item| match item {
            MediaArgument::Url(url) => url.clone(),
            MediaArgument::File { path, content_type, bytes } => {
                format!("{content_type}, {} bytes, {}", bytes.len(), path.display())
            }
        })
    }

    /// Stores the files so that a running gateway can serve them.
    pub async fn keep(self, channel: &Channel) -> Result<Vec<OutboundMedia>, Failure> {
        if self.0.iter().any(|item| matches!(item, MediaArgument::File { .. })) {
            check_is_served(channel).await?;
        }
        let mut kept = Vec::new();
        for item in self.0 {
            kept.push(match item {
                MediaArgument::Url(url) => OutboundMedia::Url(url),
                MediaArgument::File { content_type, bytes, .. } => keep_file(channel, content_type, bytes).await?,
            });
        }
        Ok(kept)
    }
}

impl MediaArgument {
    fn read(name: &str) -> Result<MediaArgument, Failure> {
        if let Some((scheme, _)) = name.split_once("://").filter(|(scheme, _)| is_scheme(scheme)) {
            return address(scheme, name).map(MediaArgument::Url);
        }
        let path = Path::new(name);
        let bytes = read(path).map_err(|error| {
            Failure::new(format!("cannot read {name}: {error}")).hint("--media accepts a file or a URL")
        })?;
        if bytes.is_empty() {
            return Err(Failure::new(format!("{name} is empty")).hint("--media accepts a file with content"));
        }
        if bytes.len() as u64 > picture::MAX_FILE_BYTES {
            let most = picture::MAX_FILE_BYTES;
            return Err(Failure::new(format!("{name} is too large: the limit is {most} bytes")).hint(SMALLER));
        }
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        let declared = media_type::of_ending(ending).unwrap_or_default();
        let content_type = media_type::judge(declared, &bytes).map_err(|mismatch| {
            Failure::new(format!("{name}: {mismatch}")).hint(
                "its extension or its content is \
                wrong",
            )
        })?;
        Ok(MediaArgument::File { path: path.to_owned(), content_type, bytes })
    }

    /// Fails unless carriers accept it.
    fn check(&self) -> Result<(), Failure> {
        let MediaArgument::File { path, content_type, bytes } = self else { return Ok(()) };
        assemble::carrier()
            .mms
            .check([(content_type.as_str(), bytes.len() as u64)])
            .map_err(|error| Failure::new(format!("{}: {error}", path.display())).hint(SMALLER))
    }

    /// Returns its length (bytes); 0 for a URL, which Twilio fetches elsewhere.
    fn size(&self) -> u64 {
        match self {
            MediaArgument::Url(_) => 0,
            MediaArgument::File { bytes, .. } => bytes.len() as u64,
        }
    }

    fn is_reducible(&self) -> bool {
        matches!(self, MediaArgument::File { content_type, .. } if picture::is_reducible(content_type))
    }

    /// Shrinks a picture to at most `limit` bytes if possible, and says so.
    fn reduce(&mut self, limit: u64) -> Result<(), Failure> {
        let MediaArgument::File { path, content_type, bytes } = self else { return Ok(()) };
        let fitting = picture::fit(content_type, bytes, limit).map_err(|bomb| {
            Failure::new(format!("{}: {bomb}", path.display())).hint("shrink it with an image editor, or send a link")
        })?;
        if let Some(fitting) = fitting {
            let (from, to) = (bytes.len(), fitting.len());
            terminal::say(format!(
                "{} was reduced from {from} to {to} bytes, as {}.",
                path.display(),
                picture::REDUCED_TYPE
            ));
            (*content_type, *bytes) = (picture::REDUCED_TYPE.to_owned(), fitting);
        }
        Ok(())
    }
}

/// Reads the file; of one that is too large or endless, one byte more than allowed.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(picture::MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn is_scheme(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// Parses a URL that Twilio can fetch and normalizes it.
fn address(scheme: &str, name: &str) -> Result<String, Failure> {
    let unusable = |why: String| Failure::new(format!("{name}: {why}")).hint("--media accepts a file or an https URL");
    if !["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
        return Err(unusable(format!("Twilio does not fetch {scheme} URLs")));
    }
    Url::parse(name).map(String::from).map_err(|error| unusable(format!("it is not a URL: {error}")))
}

/// Shrinks pictures if the files are too large together: each gets an equal share of the space the others leave.
fn reduce(items: &mut [MediaArgument]) -> Result<(), Failure> {
    let together: u64 = items.iter().map(MediaArgument::size).sum();
    let most = assemble::carrier().mms.max_bytes;
    if together <= most {
        return Ok(());
    }
    let pictures = items.iter().filter(|item| item.is_reducible());
    let (count, size) = pictures.fold((0, 0), |(count, size), item| (count + 1, size + item.size()));
    let share = most.saturating_sub(together - size) / u64::max(count, 1);
    items.iter_mut().try_for_each(|item| item.reduce(share))
}

/// Fails unless a running gateway serves files to Twilio; without one the message would fail at Twilio.
async fn check_is_served(channel: &Channel) -> Result<(), Failure> {
    let elsewhere = "or put the file on the web and pass its https URL to --media";
    match status::notify(&channel.state).await {
        None => Err(Failure::new("Twilio fetches files from the gateway, and no gateway is running")
            .hint(format!("start `openclaw gateway`, {elsewhere}"))),
        Some(alive) if alive.webhook_url.is_none() => {
            Err(Failure::new("Twilio fetches files from the gateway, and the gateway has no public URL")
                .hint(format!("set channels.telephony.publicUrl, {elsewhere}")))
        }
        Some(_) => Ok(()),
    }
}

async fn keep_file(channel: &Channel, content_type: String, bytes: Vec<u8>) -> Result<OutboundMedia, Failure> {
    let name = FileName::new(random::bytes(), &content_type);
    let token = MediaToken::from_random(random::bytes());
    let file = ServedFile { name: name.to_string(), content_type, size: bytes.len() as u64, token };
    channel.store.keep_file(name, bytes.into(), channel.now()).await?;
    Ok(OutboundMedia::File(file))
}
