//! Which of two states of a record a CRM wrote later: by what it calls its times, or numbers, and only if that is sure.

use jiff::SignedDuration;
use jiff::tz::TimeZone;

use crate::crm::timestamp::Moment;

/// Whether `revision` is newer than `than`, both as the CRM wrote them; `None` if nobody can tell. Everything is newer than an
/// empty one.
#[must_use]
pub fn is_newer(revision: &str, than: &str) -> Option<bool> {
    let (revision, than) = (revision.trim(), than.trim());
    if revision == than || revision.is_empty() {
        return (!revision.is_empty()).then_some(false);
    }
    if than.is_empty() {
        return Some(true);
    }
    match (Moment::parse(revision)?, Moment::parse(than)?) {
        (Moment::Naive(revision, _), Moment::Naive(than, _)) => {
            let ahead = revision.duration_since(than);
            // In the hour that a zone repeats when summer time ends, what is later has an earlier time.
            let is_sure = !ahead.is_positive() || ahead > SignedDuration::from_hours(1);
            is_sure.then(|| ahead.is_positive())
        }
        (Moment::Naive(..), _) | (_, Moment::Naive(..)) => None,
        (revision, than) => {
            let [revision, than] = [revision.instant(&TimeZone::UTC)?, than.instant(&TimeZone::UTC)?];
            // Some CRMs tell parts of a second here and whole seconds there.
            let is_whole = revision.subsec_nanosecond() == 0 || than.subsec_nanosecond() == 0;
            Some(if is_whole {
                revision.as_second() > than.as_second()
            } else {
                revision > than
            })
        }
    }
}
