#!/usr/bin/env python3
"""What Hugging Face's tokenizers (the Rust library) make of difficult texts, part by part, for test/tokenizer/kinds.test.ts.

Needs the `tokenizers` package.  Usage:  python3 make_tokenizer_kinds.py UNIGRAM_TOKENIZER.json > test/tokenizer/kinds.json

The file in the repository was made with version 0.23.2 from test/fixtures/cases/model/unigram-tokenizer/tokenizer.json.
"""
import copy, json, random, sys
from tokenizers import Tokenizer

random.seed(20260101)
unigram = json.load(open(sys.argv[1]))
CHARS = list(
    " \t\n\r\u00a0\u0085\u200b\u200d\ufeff\u3000\u2028aAbBcdefxyzZ 1290,.!?;:'\"-_()[]<>/@#$%^&*+=~"
    "\u00e9e\u0301\u0308\u00c0\u00df\u0130\u0131\u03a3\u03c2\u03c3\ufb01\u00bd\u00b2\u2167\u0663\u2014\u2026\u00ab\u2581"
    "\u4f60\u597d\uff0c\u4e16\ud55c\u30d7\u30fc\u3099\u0e01\u0e33\u0903\u093f\u094d\u0915\u093c\u0627\u0634\ufdfd"
    "\u0000\u0001\u001f\u007f\ufffd\u00ad\ue000\u061d\u166d\u09fd\u08ca\u32ff"
) + ["\U0001f469\u200d\U0001f467", "\u2764\ufe0f", "\U0001f1eb\U0001f1f7", "\U0001d518", "\U00010780"]
WORDS = ["the", "cat", "film", "good", " <mask>", "<mask>", "</s>", "[X]", "foo", "foobar", "NEW tok", "  ", " ", "\n", "<s>", "\u00e9t\u00e9", "\uff26\uff2f\uff2f", "don't", "\u039f\u0394\u039f\u03a3"]
TEXTS = ["", " ", "the cat's 12 films, didn't it?", "\u00c9t\u00e9  \u00e0 la \ufb01n\u2026", "  two  spaces ", "\u4f60\u597d\uff0c\u4e16\u754c\u3002abc", "3.14 and \u0664\u0665 \u00bd", "a\u0085b\u2028c"]
TEXTS += ["".join(random.choice(CHARS) for _ in range(random.randint(1, 12))) for _ in range(60)]
TEXTS += ["".join(random.choice(WORDS + CHARS) for _ in range(random.randint(1, 10))) for _ in range(60)]

SPLITS = ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"]
GPT4 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"


def split(pattern, behavior, invert=False):
    return {"type": "Split", "pattern": pattern, "behavior": behavior, "invert": invert}


def bert(clean, cjk, accents, lower):
    return {"type": "BertNormalizer", "clean_text": clean, "handle_chinese_chars": cjk, "strip_accents": accents, "lowercase": lower}


NORMALIZERS = [{"type": kind} for kind in ["NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents", "Nmt"]]
NORMALIZERS += [
    {"type": "Strip", "strip_left": True, "strip_right": True},
    {"type": "Strip", "strip_left": True, "strip_right": False},
    {"type": "Sequence", "normalizers": [{"type": "NFD"}, {"type": "StripAccents"}, {"type": "Lowercase"}]},
    {"type": "Prepend", "prepend": "\u2581"},
    {"type": "Replace", "pattern": {"String": " "}, "content": "$&\u2581"},
    {"type": "Replace", "pattern": {"Regex": r"\s{2,}|[aeiou]$"}, "content": "_"},
    bert(True, True, None, True),
    bert(True, True, None, False),
    bert(False, False, True, False),
    bert(True, False, False, True),
    {"type": "Precompiled"},
    {"type": "Sequence", "normalizers": [{"type": "Precompiled"}, {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": "\u2581"}]},
]
PRE_TOKENIZERS = [
    {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
    {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
    {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False},
    {"type": "WhitespaceSplit"},
    {"type": "Whitespace"},
    {"type": "BertPreTokenizer"},
    {"type": "Digits", "individual_digits": True},
    {"type": "Digits", "individual_digits": False},
    *[{"type": "Punctuation", "behavior": behavior} for behavior in SPLITS],
    *[split({"Regex": r"[aeiou\s]"}, behavior, invert) for behavior in SPLITS for invert in (False, True)],
    split({"Regex": GPT4}, "Isolated"),
    split({"Regex": GPT4}, "Removed", True),
    split({"Regex": r"\p{L}++|\d++"}, "Isolated"),
    split({"Regex": r"[\p{Han}\p{Hiragana}]"}, "Isolated"),
    split({"String": "a.b"}, "Isolated"),
    *[{"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": scheme, "split": cut} for scheme in ("always", "first", "never") for cut in (True, False)],
    {"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "first", "split": True}]},
    {"type": "Sequence", "pretokenizers": [{"type": "Whitespace"}, {"type": "Digits", "individual_digits": True}, {"type": "Punctuation", "behavior": "Isolated"}]},
    {"type": "Sequence", "pretokenizers": [{"type": "Punctuation", "behavior": "Isolated"}, {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}]},
    {"type": "CharDelimiterSplit", "delimiter": "-"},
    {"type": "FixedLength", "length": 3},
]


def whole(part, key):
    """A tokenizer with that part; the charsmap of "Precompiled" is the given file's."""
    made = copy.deepcopy(unigram)
    made[key] = json.loads(json.dumps(part).replace('{"type": "Precompiled"}', json.dumps(unigram["normalizer"])))
    return Tokenizer.from_str(json.dumps(made))


def added(id, content, **flags):
    return {"id": id, "content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": False} | flags


def template(start, end, pair_middle):
    special = lambda token: {"SpecialToken": {"id": token, "type_id": 0}}
    sequence = lambda name: {"Sequence": {"id": name, "type_id": 0}}
    return [special(start), sequence("A"), special(end)], [special(start), sequence("A"), *[special(end)] * pair_middle, sequence("B"), special(end)]


def tokenizers():
    pieces = list("abcdefghijklmnopqrstuvwxyz0123456789,.!?'-()<>") + ["\u4f60", "\u597d"]
    vocab = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *pieces, *["##" + c for c in pieces[:36]], "the", "cat", "film", "good", "##ing", "##ood", "ete", "##te"]
    single, pair = template("[CLS]", "[SEP]", 1)
    specials = {token: {"id": token, "ids": [id], "tokens": [token]} for id, token in ((2, "[CLS]"), (3, "[SEP]"))}
    posts = [
        {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]},
        {"type": "RobertaProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2], "trim_offsets": True, "add_prefix_space": False},
        {"type": "Sequence", "processors": [{"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}, {"type": "TemplateProcessing", "single": single, "pair": pair, "special_tokens": specials}]},
    ]
    for post, pre in zip(posts, [{"type": "BertPreTokenizer"}, {"type": "Whitespace"}, {"type": "WhitespaceSplit"}]):
        yield {
            "added_tokens": [added(id, vocab[id], special=True) for id in range(5)], "normalizer": bert(True, True, None, True), "pre_tokenizer": pre, "post_processor": post,
            "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 20, "vocab": {token: id for id, token in enumerate(vocab)}},
        }
    single, pair = template("<s>", "</s>", 2)
    roberta = {"type": "TemplateProcessing", "single": single, "pair": pair, "special_tokens": {token: {"id": token, "ids": [id], "tokens": [token]} for id, token in ((0, "<s>"), (2, "</s>"))}}
    start = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    letters = list("abcdefghijklmnopqrstuvwxyz\u2581'.,\u00e9")
    normalizers = [None, {"type": "NFKC"}, {"type": "Lowercase"}, {"type": "Sequence", "normalizers": [{"type": "NFKC"}, {"type": "Strip", "strip_left": True, "strip_right": False}]}]
    for round in range(16):
        vocab = start + letters + ([f"<0x{byte:02X}>" for byte in range(256)] if round % 4 == 1 else [])
        merges = [["t", "h"], ["th", "e"], ["o", "o"], ["f", "oo"], ["\u2581", "the"], ["c", "a"], ["ca", "t"]]
        if round % 2:
            for text in TEXTS:
                word = "\u2581" + text.replace(" ", "\u2581")
                at = random.randrange(len(word))
                if (piece := word[at : at + random.randint(2, 5)]) not in vocab and "<" not in piece:
                    vocab.append(piece)
            scores = [0.0] * 5 + [-float(random.randint(2, 7)) if round % 3 else random.uniform(-9, -2) for _ in vocab[5:]]
            model = {"type": "Unigram", "unk_id": 3, "vocab": list(map(list, zip(vocab, scores))), "byte_fallback": round % 4 == 1}
        else:
            vocab = vocab + [a + b for a, b in merges]
            model = {"type": "BPE", "unk_token": None if round % 8 == 6 else "<unk>", "fuse_unk": round % 8 == 2, "byte_fallback": False, "ignore_merges": round % 8 == 4, "vocab": {token: id for id, token in enumerate(vocab)}, "merges": merges}
        more = []
        for content in ["[X]", "foo", "foobar", "NEW tok", "\uff26\uff2f\uff2f", "\u00e9t\u00e9", " a"]:
            if random.random() < 0.6:
                flags = {flag: random.random() < 0.4 for flag in ("single_word", "lstrip", "rstrip", "normalized", "special")}
                more.append(added(len(vocab) + len(more), content, **flags))
        more = [token | {"id": vocab.index(token["content"])} if token["content"] in vocab else token for token in more]
        fresh = [token for token in more if token["content"] not in vocab]
        for place, token in enumerate(fresh):
            token["id"] = len(vocab) + place
        yield {
            "added_tokens": [added(id, token, special=True, lstrip=token == "<mask>") for id, token in enumerate(start)] + more,
            "normalizer": random.choice(normalizers),
            "pre_tokenizer": {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": random.choice(["always", "first", "never"]), "split": random.random() < 0.7},
            "post_processor": roberta,
            "model": model,
        }


made = []
for given in tokenizers():
    given = {"version": "1.0", "truncation": None, "padding": None, **given, "decoder": None}
    tokenizer = Tokenizer.from_str(json.dumps(given))
    made.append([given, [tokenizer.encode(text).ids for text in TEXTS], tokenizer.encode(TEXTS[2], TEXTS[3]).ids])
result = {
    "texts": TEXTS,
    "normalizers": [[part, [whole(part, "normalizer").normalizer.normalize_str(text) for text in TEXTS]] for part in NORMALIZERS],
    "preTokenizers": [[part, [[piece for piece, _ in tokenizer.pre_tokenizer.pre_tokenize_str(text)] for text in TEXTS if text != ""]] for part in PRE_TOKENIZERS for tokenizer in [whole(part, "pre_tokenizer")]],
    "tokenizers": made,
}
print(json.dumps(result, ensure_ascii=True, separators=(",", ":")))
