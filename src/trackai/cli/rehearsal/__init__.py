"""`trackai golive rehearse`: the whole go-live on a scratch installation."""
