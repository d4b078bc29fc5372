"""The letters and words of the paper's benchmark (Sec. IV-A, Fig. 2)."""

#: The eight letters at the first, second and third position. They are the most frequent ones at
#: these positions among the 300 commonest English words of three letters.
PAPER_LETTERS: tuple[str, str, str] = ("abdflpst", "aeinorsu", "demnrsty")

_WORDS = """
aid aim air and ans ant any are arm arr art ass bad ban bar bas bat bay bed bee bes bet bey bid
bin bis bit bod bot boy brr bud bum bun bur bus but buy dad dam day den did die dim din dis doe
don dos dot dry dud due dun fad fan far fas fat fay fed fee fem fen fer fey fie fin fir fit foe
for fry fun fur fut lad lam las lat lay led lee let lid lie lit lot pad pan par pas pat pay pee
pen per pet pie pin pis pit pod pot pry pun pus put sad sat say see sen set sin sir sis sit sod
son sos sot soy sud sue sum sun tad tam tan tar tat tee ten tie tin tis tit toe tom ton tor tot
toy try tum tun tut
"""

#: The training set: the 149 of the 512 combinations of these letters that are English words.
PAPER_WORDS: tuple[str, ...] = tuple(_WORDS.split())
