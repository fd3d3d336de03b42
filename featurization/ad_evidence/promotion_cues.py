"""How shows promote themselves and each other, as data; weights are set by hand, see `ad_cues.py`."""

from featurization.ad_evidence.cues import SHOW, cue

PROMOTION_CUES = (
    cue(
        r"(?:rate|review|rating)(?: us)?,? (?:and|or) (?:leave (?:us )?a )?(?:review|rate"
        r"|subscribe|rating|follow)",
        0.6,
        "review",
        "self-promotion",
    ),
    cue(
        r"leav(?:e|ing) (?:us |me |the show )?a (?:quick |nice |kind |short |five[- ]star "
        r"|5[- ]star )?(?:review|rating)",
        0.6,
        "review",
        "self-promotion",
    ),
    cue(
        r"(?:rate|review) (?:us|the show|this (?:show|podcast)|our (?:show|podcast))|(?:give"
        r"|gave) us (?:\w+ )?(?:five|5)[- ]stars?",
        0.65,
        "review",
        "self-promotion",
    ),
    cue(
        rf"(?:subscribe|subscribing|subscribed)(?: (?:and|or) \w+)? to (?:our|the|this"
        rf"|my) (?:\w+ )?{SHOW}",
        0.6,
        "subscribe",
        "self-promotion",
    ),
    cue(
        r"(?:hit|click|smash|press|tap) (?:that |the )?(?:subscribe|follow|like|notification)"
        r"|(?:please|don['’]t forget to|make sure to|make sure you|be sure to|remember to) (?:like"
        r"|subscribe|follow|share|rate|review)(?! (?:the|your|his|her) (?:rules?|instructions?"
        r"|steps|recipe))",
        0.6,
        "subscribe",
        "self-promotion",
    ),
    cue(
        r"(?:wherever|anywhere) you (?:get|find|listen to|download) (?:your )?podcasts",
        0.4,
        "wherever",
        "self-promotion",
    ),
    cue(
        r"(?:our|my|on|the show['’]s) patreon|patreon(?:\.com| dot com)|(?:become"
        r"|becoming) a (?:\w+ )?(?:patron|member|supporter) (?:of|at|on|today|and)|buy (?:us"
        r"|me) a coffee",
        0.55,
        "patreon",
        "self-promotion",
    ),
    cue(
        rf"(?:support|supporting) (?:us|(?:the|this|our) {SHOW}|our work|what we do)",
        0.4,
        "support us",
        "self-promotion",
    ),
    cue(
        r"(?:our|my|the show['’]s|some) (?:new )?(?:merch|merchandise|t[- ]?shirts?|mugs"
        r"|tote bags)(?: store| shop)?|merch store",
        0.45,
        "merch",
        "self-promotion",
    ),
    cue(
        r"(?:follow|find|message|tag|dm) (?:us|me) on (?:twitter|instagram|facebook|tiktok|youtube"
        r"|threads|bluesky|mastodon|x\b|social|linkedin)",
        0.6,
        "follow",
        "self-promotion",
    ),
    cue(
        r"(?:join|sign up for) our (?:\w+ )?(?:newsletter|mailing list|discord|community"
        r"|facebook group|email list)",
        0.65,
        "newsletter",
        "self-promotion",
    ),
    cue(
        r"(?:tickets (?:are )?(?:on sale|available)|get (?:your )?tickets)|(?:pre-?order|order|buy"
        r"|grab)(?: a copy of)? (?:our|my) (?:new )?(?:book|course|album)",
        0.5,
        "tickets",
        "self-promotion",
    ),
    cue(
        r"(?:tell|share (?:it|this|the show|the podcast|this episode) with) (?:a|your"
        r"|one) friends?(?: about (?:us|the show|it))?",
        0.3,
        "tell a friend",
        "self-promotion",
    ),
    cue(
        r"(?:check out|listen to|try|tune in to|you(?:['’]ll| will| might| may)? (?:also )?(?:like"
        r"|love|enjoy)) (?:our|the|a|my|their|his|her|another|this) (?:other |new |brand[- ]new "
        r"|sister |friend['’]s |great |latest ){1,2}(?:show|podcast|series)",
        0.65,
        "other show",
        "cross-promotion",
    ),
    cue(
        r"(?:new|another|original|hit|weekly|daily|true crime) (?:podcast|series|show) (?:from|by"
        r"|hosted by|called|where (?:i|we)|that)",
        0.4,
        "other show",
        "cross-promotion",
    ),
    cue(
        r"(?:from|by) the (?:team|makers|creators|producers|people|folks) (?:behind|of"
        r"|who (?:brought|made)) ",
        0.4,
        "makers",
        "cross-promotion",
    ),
    cue(
        r"(?:i['’]m|i am|my name is) [\w .'’-]{2,40}?,? (?:the )?(?:co-?)?host of"
        r"|join me[\w ,]{0,30} (?:on|for) (?:my|the|our) (?:new )?(?:podcast|show|series)",
        0.4,
        "host of",
        "cross-promotion",
    ),
    cue(
        r"new episodes (?:\w+ )?(?:every|each|drop|come out|are out|out)|(?:coming|premier\w+"
        r"|launch\w+|out now|available now) (?:\w+ ){0,3}(?:on|wherever|to)",
        0.3,
        "new episodes",
        "cross-promotion",
    ),
    cue(
        r"(?:search for|follow|listen(?: and subscribe)? to|find"
        r"|subscribe to) (?-i:[A-Z])[\w' ’&-]{2,40} (?:on apple|on spotify|on the|in your podcast"
        r"|wherever|anywhere|on all)",
        0.55,
        "listen to",
        "cross-promotion",
    ),
)
