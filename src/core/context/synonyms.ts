// Words that programmers use for the same thing, and how they shorten them: a question says
// "remove", the code `del`. Each line is a group; a word of it may stand for another.
import { stem } from "#core/context/rank.ts";

const groups = `
add append insert push attach put
remove delete del drop erase discard unlink pop
get fetch retrieve obtain acquire lookup
set assign store put
create make build construct generate new produce
init initialize initialise setup bootstrap
start begin launch open
stop end finish terminate close shutdown kill
find search locate seek lookup discover match
check test verify validate ensure assert is
compare diff equal same
convert transform translate cast parse coerce to
parse read decode load deserialize unmarshal
write save dump store persist encode serialize marshal export
load import read
print show display output log echo
format render pretty layout
split divide partition separate tokenize explode
join concat concatenate combine merge concatenation implode
merge combine union
count number len length size total
sum total add
average mean avg
max maximum largest biggest highest greatest upper
min minimum smallest lowest least lower
sort order rank arrange
reverse invert flip
filter select where
unique distinct dedupe duplicate
copy clone duplicate
move rename shift
replace substitute sub swap
update modify change edit alter
empty blank null none nil
null none nil undefined
list array sequence vector
dict dictionary map hash mapping hashmap
string str text
integer int
number num numeric
float double decimal
boolean bool flag
character char letter
fn func method def callable function
parameter param argument arg
object obj instance
directory dir folder
file path filename
path route
delimiter separator sep
column col field
row line record
key name
value val
index idx position pos offset
element elem item entry member
message msg
error err exception failure fail
request req
response res resp reply
configuration config conf cfg settings options
environment env
database db
temporary temp tmp
previous prev last
current cur now
image img picture
address addr
information info
reference ref
source src
destination dest dst target
document doc
version ver
random rand
iterate loop each traverse walk iter
execute run exec invoke call
wait sleep delay pause
lock mutex
thread process
download fetch
upload send
send post emit publish dispatch
receive recv
date datetime time timestamp
day date
year date
regex regexp pattern
matrix array
numpy np
dataframe df pandas
plot draw chart graph figure
zip compress gzip
unzip decompress extract
encrypt cipher
hash digest checksum
upper uppercase capitalize
lower lowercase
trim strip
whitespace space blank
newline line
unicode utf8
json serialize
url uri link
authenticate auth login
user account
password passwd pwd
tree node
flatten flat
round ceil floor
first head top
last tail
common shared intersection
range between interval
exist exists has contain contains include
install setup
package module
class type
attribute attr property field
html xml
csv table
query sql
connect connection conn
clear reset flush empty
variable var
dictionary mapping items
async asynchronous await coroutine
spawn fork start
command cmd shell subprocess
kwargs args arguments
increase increment grow
decrease decrement shrink
contains in
ascii ord chr
hex hexadecimal
binary bin bits
bytes byte buffer
timezone tz utc
dimension shape size
normalize norm scale
probability prob
distance dist
coordinate coord point
rectangle rect box bbox
color colour rgb
window win
button btn
audio sound wav
socket sock
host server
body payload content
template tmpl
context ctx
callback cb hook
event signal
parent ancestor
child children descendant
depth level
prefix startswith begin
suffix endswith end
equal eq
multiply mul product times
divide div quotient
subtract minus difference
power pow exponent
absolute abs
standard std deviation
variance var
median middle
choose choice pick select sample
shuffle permute random
permission access mode
yaml yml
folder path
repeat duplicate again
wrap wrapper decorator
increment next
zero null empty
online connected
notify alert message
schedule cron timer
retry again attempt
cache memoize remember
escape quote
unescape unquote
slice cut crop
resize scale
rotate turn
hide invisible
show visible
enable activate on
disable deactivate off
toggle switch
expand inflate
collapse fold
resolve lookup
subscribe listen
limit bound cap
threshold limit
default fallback
optional maybe
required mandatory
`;

/** Words of which names are made, as they are written. */
export const commonWords: ReadonlySet<string> = new Set([
  ...groups.trim().split(/\s+/),
  ..."in is to of by on at from with all any not no self data arg base sub multi auto pre post http https xml".split(
    " ",
  ),
]);

const byWord = new Map<string, Set<string>>();
for (const line of groups.trim().split("\n")) {
  const stems = line.split(" ").map(stem);
  for (const word of stems) {
    const known = byWord.get(word) ?? new Set();
    for (const other of stems) if (other !== word) known.add(other);
    byWord.set(word, known);
  }
}

/** What may stand for a term, as terms. */
export const synonymsOf = (term: string): Iterable<string> => byWord.get(term) ?? [];
