"""What do people see in a browser while experiments run: all of them, one, or several beside each other?

A small server of one person, on this machine: it reads the store, so it shows what any process, job or host runs. Pages
that take statistics are made in a process of their own (`maker`), so that no request waits for one.

| module | does |
|---|---|
| access | who may ask: a token, the hosts, where a request comes from |
| application | which address shows what |
| overview | all experiments, a row each |
| watched | one experiment as it runs: what is trained, what can be done |
| maker, jobs | the process that makes pages and maps, and what it is asked |
| actions | stopping an experiment, going on with one, noting something of it |
| steering | the new searches that one suggests, and how they are begun |
| logs | logs, from inside the experiments' folder alone |
| serving | the server's start, its address, its end |
"""
