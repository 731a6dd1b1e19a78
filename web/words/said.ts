/** What stands in a hole of a sentence: a text as it is formatted for people, or a number as it is. */
export type Said = string | number;
