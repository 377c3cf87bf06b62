"""What makes a text clean prose, whatever it says: characters, markup, sentences, speech, the prompt."""
