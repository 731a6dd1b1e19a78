#!/usr/bin/env python3
"""Token ids of difficult strings by Hugging Face's own tokenizers (the Rust library), for test/tokenizer/tokenizer.test.ts.

Needs the `tokenizers` package.  Usage:  python3 make_tokenizer_ids.py TOKENIZER.json OUT.jsonl

Each line of OUT is [text, ids] or [text, pair, max_tokens, ids]; truncation is longest_first. test/tokenizer/tokenizer-ids.jsonl was made
from roberta-base's tokenizer.json with version 0.23.2 of the library.
"""
import json, random, sys
import tokenizers

rng = random.Random(20260101)
tokenizer = tokenizers.Tokenizer.from_file(sys.argv[1])

WRITTEN = [
    "", " ", "  ", "\t", "\n", "\r\n", " \n ", "\u00a0", "\u3000", "\u2028\u2029", "\ufeff", "\u200b", "\u200d", "\x00", "\x01\x02\x1f", "\x7f", "\x85",
    "Hello world", " Hello world", "Hello  world", "Hello world ", "Hello world  ", "HELLO", "hElLo", "a", " a", "A.",
    "don't", "DON'T", "don\u2019t", "I'm you're he's we've they'd I'll", "'s", "''s", "'S", "x's's", "' s", "rock 'n' roll", "'tis",
    "1", "12", "123456789012345", "3.14", "1,000,000", "-5", "+5", "1e-3", "0x1F", "50%", "$5.00", "\u00bd", "x\u00b2", "\u0663\u0664", "\u2168", "\u09ea", "1st 2nd 3rd",
    "caf\u00e9", "cafe\u0301", "na\u00efve", "\u00e5ngstr\u00f6m", "stra\u00dfe", "\u0130stanbul", "\u1e9e", "\ufb01ne", "\u0149",
    "\u041f\u0440\u0438\u0432\u0435\u0442", "\u0393\u03b5\u03b9\u03ac", "\u05e9\u05dc\u05d5\u05dd", "\u0645\u0631\u062d\u0628\u0627", "\u0928\u092e\u0938\u094d\u0924\u0947", "\u4f60\u597d\uff0c\u4e16\u754c", "\u3053\u3093\u306b\u3061\u306f", "\uc548\ub155", "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35",
    "\U0001f600", "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f44d\U0001f3fd", "\U0001f1e8\U0001f1ed", "\u2764\ufe0f", "a\U0001f600b", "\U0001f600 \U0001f600", "\U0001d518\U0001d52b\U0001d526", "\U00020000\U0002a6df", "\U0010ffff",
    "<s>", "</s>", "<mask>", "a <mask> b", "a<mask>b", "a  <mask>  b", "<pad>", "<unk>", "x</s>y", "<s", "<mask", "<MASK>", "<<mask>>",
    "https://example.org/a?b=c&d=e#f", "user@example.org", "C:\\Windows\\System32", "a_b_c", "__init__", "snake_case and camelCase", "#hashtag @mention",
    "!!!", "?!?!", "...", "\u2026", "--", "\u2014", "(a)", "[b]", "{c}", "\"quoted\"", "\u201cquoted\u201d", "`code`", "*bold*", "a/b", "a|b", "a~b", "^_^", ":-)", "</div>", "&amp;", "\\n", "\\",
    "a\u0300\u0301\u0302\u0303\u0304", "Z\u0351\u036b\u0343a\u0365l\u034bg\u0300o\u0352", "\u202eright to left\u202c", "soft\u00adhyphen", "zero\u200bwidth", "\u2060word\u2060",
    "a" * 50, "ab" * 200, "x" * 1000, "\u00e9" * 100, "\U0001f600" * 40, " " * 100, "\n" * 30, "a " * 100, "." * 100, "0" * 100, "supercalifragilisticexpialidocious" * 5,
    "\t\tindented\n\tcode {\n\t}\n", "trailing tab\t", "mixed \t \n  whitespace", "a\u00a0b", "a\u2009b", "a\u3000b", " \u00a0 a", "line\u2028line", "a\x1cb\x1db", "a\x0bb\x0cc",
    "it 's a charming and often affecting journey . ", "The cat sat on the mat, didn't it?", "\u00bfQu\u00e9? \u00a1S\u00ed!",
]
ALPHABETS = [
    "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJ", "0123456789", " \t\n\r\u00a0\u2003\u3000", ".,;:!?'\"()[]-_/\\@#$%&*+=<>~^`|", "\u00e0\u00e9\u00ee\u00f5\u00fc\u00df\u00f8\u0142\u017f",
    "\u0430\u0431\u0432\u0433\u0416\u042f", "\u03b1\u03b2\u03b3\u03a9", "\u4e2d\u6587\u5b57\u7b26", "\u3042\u30a2\u30f3\u30fc", "\uac00\ub098", "\u0905\u0906\u0939\u093f\u094d", "\u0627\u0628\u062a\u064e", "\u0300\u0301\u0308\u20dd",
    "\U0001f600\U0001f680\U0001f468\u200d\u2764\ufe0f\U0001f3fb", "\x00\x01\x07\x1b\x7f\x80\x9f\u200b\u200e\ufeff\ufffd", "\u00b2\u00bd\u0661\u2160\u3007\U0001d7d8", "\u20ac\u00a3\u2192\u2211\u221e\u2603\u00a9",
]
WORDS = "the of and film not very good 's n't I'm can't 2024 3.5 U.S. e-mail \u2014 <mask> </s> caf\u00e9 \U0001f600 ... 's's".split()

def mixed():
    parts = []
    for _ in range(rng.randint(1, 8)):
        if rng.random() < 0.4: parts.append(rng.choice(WORDS))
        else: parts.append("".join(rng.choice(rng.choice(ALPHABETS)) if rng.random() < 0.3 else rng.choice(ALPHABETS[0]) for _ in range(rng.randint(1, 9))))
        parts.append(rng.choice(["", " ", " ", "  ", "\n"]))
    return "".join(parts)

def noise(): return "".join(rng.choice(rng.choice(ALPHABETS)) for _ in range(rng.randint(1, 24)))
def anything():
    def point():
        while True:
            c = rng.choice([rng.randint(0, 0x7f), rng.randint(0x80, 0x24f), rng.randint(0x250, 0xffff), rng.randint(0x10000, 0x1fbff)])
            if not 0xd800 <= c <= 0xdfff: return chr(c)
    return "".join(point() for _ in range(rng.randint(1, 12)))

texts = list(dict.fromkeys(WRITTEN + [mixed() for _ in range(250)] + [noise() for _ in range(200)] + [anything() for _ in range(150)]))
single = [[text, tokenizer.encode(text).ids] for text in texts]
pairs = []
# No special tokens spelt out in pairs: how many tokens the library reads of a text before it truncates is then hard to say.
for marker in ("<mask>", "</s>"): WORDS.remove(marker)
for _ in range(120):
    a, b, most = mixed(), mixed(), rng.choice([6, 7, 8, 9, 12, 13, 16, 21, 32, 64])
    tokenizer.enable_truncation(most, strategy="longest_first")
    pairs.append([a, b, most, tokenizer.encode(a, b).ids])
with open(sys.argv[2], "w", encoding="ascii") as out:
    for row in single + pairs: out.write(json.dumps(row, separators=(",", ":")) + "\n")
print(len(single), "texts", len(pairs), "pairs")
