"""Countries and states as Meta wants them: ISO 3166-1 alpha-2, and two letters for US states.

ISO 3166 as published 2026. Names are those of the markets where the product's advertisers sell;
payment platforms send codes nearly always.
"""

# Alpha-2 code followed by alpha-3 code.
_CODES = """
ADAND AEARE AFAFG AGATG AIAIA ALALB AMARM AOAGO AQATA ARARG ASASM ATAUT AUAUS AWABW AXALA AZAZE
BABIH BBBRB BDBGD BEBEL BFBFA BGBGR BHBHR BIBDI BJBEN BLBLM BMBMU BNBRN BOBOL BQBES BRBRA BSBHS
BTBTN BVBVT BWBWA BYBLR BZBLZ CACAN CCCCK CDCOD CFCAF CGCOG CHCHE CICIV CKCOK CLCHL CMCMR CNCHN
COCOL CRCRI CUCUB CVCPV CWCUW CXCXR CYCYP CZCZE DEDEU DJDJI DKDNK DMDMA DODOM DZDZA ECECU EEEST
EGEGY EHESH ERERI ESESP ETETH FIFIN FJFJI FKFLK FMFSM FOFRO FRFRA GAGAB GBGBR GDGRD GEGEO GFGUF
GGGGY GHGHA GIGIB GLGRL GMGMB GNGIN GPGLP GQGNQ GRGRC GSSGS GTGTM GUGUM GWGNB GYGUY HKHKG HMHMD
HNHND HRHRV HTHTI HUHUN IDIDN IEIRL ILISR IMIMN ININD IOIOT IQIRQ IRIRN ISISL ITITA JEJEY JMJAM
JOJOR JPJPN KEKEN KGKGZ KHKHM KIKIR KMCOM KNKNA KPPRK KRKOR KWKWT KYCYM KZKAZ LALAO LBLBN LCLCA
LILIE LKLKA LRLBR LSLSO LTLTU LULUX LVLVA LYLBY MAMAR MCMCO MDMDA MEMNE MFMAF MGMDG MHMHL MKMKD
MLMLI MMMMR MNMNG MOMAC MPMNP MQMTQ MRMRT MSMSR MTMLT MUMUS MVMDV MWMWI MXMEX MYMYS MZMOZ NANAM
NCNCL NENER NFNFK NGNGA NINIC NLNLD NONOR NPNPL NRNRU NUNIU NZNZL OMOMN PAPAN PEPER PFPYF PGPNG
PHPHL PKPAK PLPOL PMSPM PNPCN PRPRI PSPSE PTPRT PWPLW PYPRY QAQAT REREU ROROU RSSRB RURUS RWRWA
SASAU SBSLB SCSYC SDSDN SESWE SGSGP SHSHN SISVN SJSJM SKSVK SLSLE SMSMR SNSEN SOSOM SRSUR SSSSD
STSTP SVSLV SXSXM SYSYR SZSWZ TCTCA TDTCD TFATF TGTGO THTHA TJTJK TKTKL TLTLS TMTKM TNTUN TOTON
TRTUR TTTTO TVTUV TWTWN TZTZA UAUKR UGUGA UMUMI USUSA UYURY UZUZB VAVAT VCVCT VEVEN VGVGB VIVIR
VNVNM VUVUT WFWLF WSWSM YEYEM YTMYT ZAZAF ZMZMB ZWZWE
""".lower()

# Code, then its names: letters only, as in normalized text, also without accents.
_NAMES = """
ao angola
ar argentina
bo bolivia
br brazil brasil
ca canada canadá
cl chile
co colombia colômbia
cr costarica
cv capeverde caboverde
de germany alemanha alemania deutschland
do dominicanrepublic repúblicadominicana republicadominicana
ec ecuador equador
es spain espanha españa espana
fr france frança franca francia
gb uk unitedkingdom reinounido greatbritain england inglaterra
gr el
gt guatemala
hn honduras
ie ireland irlanda
it italy itália italia
jp japan japão japao japón japon
mx mexico méxico
mz mozambique moçambique mocambique
ni nicaragua nicarágua
pa panama panamá
pe peru perú
pt portugal
py paraguay paraguai
sv elsalvador
us unitedstates unitedstatesofamerica estadosunidos eua
uy uruguay uruguai
ve venezuela
"""

# State names of the United States (with the district), letters only.
_STATES = """
al alabama ak alaska az arizona ar arkansas ca california co colorado ct connecticut de delaware
dc districtofcolumbia fl florida ga georgia hi hawaii id idaho il illinois in indiana ia iowa
ks kansas ky kentucky la louisiana me maine md maryland ma massachusetts mi michigan mn minnesota
ms mississippi mo missouri mt montana ne nebraska nv nevada nh newhampshire nj newjersey
nm newmexico ny newyork nc northcarolina nd northdakota oh ohio ok oklahoma or oregon
pa pennsylvania ri rhodeisland sc southcarolina sd southdakota tn tennessee tx texas ut utah
vt vermont va virginia wa washington wv westvirginia wi wisconsin wy wyoming
"""

# Alpha-2, alpha-3 or name -> alpha-2, all in lower case.
COUNTRY_CODES: dict[str, str] = {
    **{pair[:2]: pair[:2] for pair in _CODES.split()},
    **{pair[2:]: pair[:2] for pair in _CODES.split()},
    **{name: line.split()[0] for line in _NAMES.strip().splitlines() for name in line.split()[1:]},
}

# Full name -> two letters.
US_STATES: dict[str, str] = dict(
    zip(_STATES.split()[1::2], _STATES.split()[::2], strict=True),
)
