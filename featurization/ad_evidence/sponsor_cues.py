"""How sponsor messages sound, as data; weights are set by hand, see `ad_cues.py`."""

from featurization.ad_evidence.cues import SHOW, cue

PART = (
    rf"(?:(?:this|today['’]s|the|our) (?:\w+ )?{SHOW}|(?:this|today['’]s) (?:portion|part|segment|half)[\w ]{{0,20}})"
)
SITE = (
    r"[\w-]+(?:\.(?:com|org|net|io|co|fm|tv|app|shop|store|health|me|us)(?!\w)|,? dot (?:com"
    r"|org|net|io|co|fm|app)(?!\w))"
)
AMOUNT = r"(?:\d+|ten|fifteen|twenty(?:[ -]five)?|thirty|forty|fifty|sixty|seventy|half)"
NOT_CODES = (
    r"(?!(?:to|in|on|from|for|that|this|as|is|was|are|and|or|of|with|which|review|reviews"
    r"|generat\w+|complet\w+|blocks?|"
    r"splitting|style|coverage|like|when|because|it|words?|names?|switching|at|by|if|so|but|they|you|we|i|he|she)\b)"
)

SPONSOR_CUES = (
    cue(
        rf"{PART} (?:is|was|comes|has been|is being)[\w ]{{0,30}}(?:brought|sponsored|supported"
        rf"|presented|made possible)",
        0.9,
        "opening",
    ),
    cue(r"brought to you (?:today |this week |in part |also )?by", 0.55, "opening"),
    cue(rf"{PART} comes to you from", 0.6, "opening"),
    cue(rf"support (?:for|of) {PART}(?: [\w ]{{0,30}})? (?:comes|is provided)", 0.85, "opening"),
    cue(
        rf"(?:thank(?:s|ing)?|thank you|shout ?out)[\w ,]{{0,8}} to [\w &.'’-]{{2,40}} for (?:spons"
        rf"oring|supporting) {PART}",
        0.9,
        "opening",
    ),
    cue(rf"(?:sponsoring|sponsors?(?: of)?) (?:of )?{PART}", 0.75, "opening"),
    cue(
        r"(?:thank|word from|message from|hear from|thanks to"
        r"|hear (?:\w+ )?about) (?:one of )?(?:our|today['’]s"
        r"|this week['’]s) (?:\w+ )?(?:sponsors?|partners?|advertisers?)",
        0.85,
        "opening",
    ),
    cue(r"(?:our|today['’]s|this week['’]s) (?:\w+ )?(?:sponsor|partner)s?(?:,| is| today| this)", 0.7, "opening"),
    cue(r"our (?:good |dear )?friends (?:over )?at", 0.4, "opening"),
    cue(
        r"(?:i['’]m|we['’]re|i am|we are) (?:so |really )?(?:excited|happy|proud|thrilled"
        r"|glad) to (?:partner|be partnering|team up) with",
        0.55,
        "opening",
    ),
    cue(r"(?:paid|ad(?:vertisement)?) (?:message|promotion|advertisement|partnership)", 0.45, "opening"),
    cue(
        rf"(?:use|using|enter|with|apply|mention|that['’]s|is|by)(?: (?:the|our|my|promo|offer"
        rf"|discount|coupon|checkout|special|exclusive|referral)){{0,3}} code,? {NOT_CODES}[\w-]+",
        0.35,
        "code",
    ),
    cue(rf"(?:promo|offer|discount|coupon|referral|voucher) code,? {NOT_CODES}[\w-]+", 0.4, "code"),
    cue(r"(?:use|enter|with|our|my|the)(?: \w+){0,2} (?:promo|offer|discount|coupon) code", 0.35, "code"),
    cue(r"at (?:the )?checkout", 0.3, "checkout"),
    cue(rf"{AMOUNT} ?(?:%|percent|per cent) off", 0.35, "discount"),
    cue(rf"\$ ?{AMOUNT} (?:off|credit)|{AMOUNT} dollars? (?:off|credit)|half (?:price|off)", 0.3, "discount"),
    cue(
        r"(?:save|get|saves you) (?:up to |an? (?:extra|additional) )?(?:\$ ?)?" + AMOUNT + r" ?(?:%|percent|dollars)",
        0.2,
        "discount",
    ),
    cue(
        rf"(?:your|the|first|for) (?:first )?(?:{AMOUNT}|two|three|six|\w+) ?(?:days?|weeks?"
        rf"|months?|year|box|bag|order|meals?) (?:is |are |for |absolutely |completely )?free",
        0.4,
        "trial",
    ),
    cue(
        r"(?:your|first|\d+|thirty|fourteen|seven)[ -]?(?:day |month |week )?free (?:trial|month"
        r"|week|consultation|quote|sample)",
        0.45,
        "trial",
    ),
    cue(r"(?:try|get|start)[\w ]{0,24}(?:for free|free trial|risk[- ]free|at no cost)", 0.4, "trial"),
    cue(r"free (?:trial|shipping|delivery|gift|returns)", 0.25, "trial"),
    cue(
        r"money[- ]back guarantee|risk[- ]free|cancel any ?time|no (?:strings|commitment"
        r"|hidden fees|credit card)",
        0.3,
        "assurance",
    ),
    cue(
        r"(?:terms|conditions|restrictions|exclusions)(?: and conditions)?(?: may)? apply"
        r"|see (?:site|website|store) for details|void where prohibited|offer (?:ends|valid"
        r"|expires)|while supplies last|not available in all states",
        0.6,
        "terms",
    ),
    cue(
        rf"(?:go|head|visit|check out|log on|sign up|over|order)(?: (?:over|on|up|now|today|to|at"
        rf"|it|out|them|online))*:? (?:w{{3}}\.?)?{SITE}",
        0.35,
        "site",
    ),
    cue(rf"(?:that['’]s|at|is) (?:w{{3}}\.?)?(?:[\w-]+ ){{0,3}}{SITE}", 0.25, "site"),
    cue(rf"{SITE}(?: ?/ ?| (?:forward )?slash )\w+", 0.5, "site slash"),
    cue(
        r"(?:just |simply )?(?:click|tap|hit|follow|use)[\w ]{0,20} link in (?:the|our"
        r"|my) (?:show ?notes|description|episode|bio)",
        0.35,
        "link",
    ),
    cue(r"link (?:is |will be )?in (?:the|our|my) (?:show ?notes|description)", 0.15, "link"),
    cue(
        rf"(?:our|my|for|exclusive(?:ly)? (?:to|for)) (?:loyal |dear |wonderful )?(?:listeners?"
        rf"|viewers?|audience)(?: of {SHOW})?[\w, ]{{0,24}}(?:get|gets|can|receive|save|off|deal"
        rf"|offer|discount|free)",
        0.4,
        "listeners",
    ),
    cue(
        r"(?:special|exclusive|limited[- ]time|introductory|amazing|incredible) (?:\w+ )?(?:offer"
        r"|deal|discount|bonus)",
        0.4,
        "offer",
    ),
    cue(
        r"(?:let them know|tell them|make sure (?:to say|you tell them)|say) (?:that )?(?:we|i"
        r"|you heard)[\w ]{0,20}(?:sent you|about (?:it|them))",
        0.6,
        "sent you",
    ),
    cue(
        r"sign up (?:today|now|for free|at)|(?:order|join|start|switch|shop|download|apply"
        r"|book)(?: \w+){0,3} (?:today|now)(?=[.,!]|$)|download the app|don['’]t (?:wait|miss out)",
        0.25,
        "urging",
    ),
    cue(
        r"upgrade (?:your|to)|take the (?:guesswork|hassle|stress) out|as low as|starting at just"
        r"|(?:thousands|millions) of (?:five[- ]star|happy|satisfied)",
        0.25,
        "pitch",
    ),
    cue(
        r"(?:i|we)(?:['’]ve| have)? (?:personally |actually )?(?:been using|use it (?:every|daily)"
        r"|use [A-Z]\w+ (?:every|daily|myself)|swear by)",
        0.2,
        "testimony",
    ),
)
