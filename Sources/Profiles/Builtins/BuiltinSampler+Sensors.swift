extension BuiltinSampler {
    /// Which sensor is which is told by its name alone: there is no list of all boards. The PMIC of old Jetsons shows 100
    /// degrees whatever it has.
    package static let temperature = BuiltinSampler(
        "temperature",
        "the warmest sensor of each kind, from thermal zones and hwmon; in the log also zone.NAME and hwmon.NAME: each of them",
        [
            Field("cpu", "degC", "processor"), Field("gpu", "degC", "graphics"),
            Field("soc", "degC", "the chip's other parts"),
            Field("disk", "degC", "NVMe and ATA disks"), Field("board", "degC", "board, regulators, ambient"),
            Field("max", "degC", "the warmest of all"),
        ],
        .shell(
            library + #"""
                e_kind() { case $1 in PMIC-Die*) e_k=constant ;; *[gG][pP][uU]*|amdgpu*|nouveau*|radeon*) e_k=gpu ;;
                *[cC][pP][uU]*|x86_pkg*|coretemp*|k10temp*|k8temp*|zenpower*|*[cC]luster*|*big*core*|*little*core*) e_k=cpu ;;
                *nvme*|drivetemp*) e_k=disk ;; *[sS][oO][cC]*|tj*|Tj*|PLL*|AO-*|AO_*|*[pP]ackage*) e_k=soc ;;
                *[bB]oard*|*[aA]mbient*|acpitz*|*[pP][mM][iI][cC]*|lm75*|tmp*|*[rR]egulator*|*diode*|thermal-fan*) e_k=board ;; *) e_k=other ;; esac; }
                e_put() { e_kind "$1"; eval "e_w=\$e_t_$e_k"; [ -n "$e_w" ] && [ "$e_w" -ge "$2" ] || eval "e_t_$e_k=$2"
                [ $e_k = constant ] || { [ -n "$e_t_max" ] && [ "$e_t_max" -ge "$2" ]; } || e_t_max=$2; e_thousandths "$2"; }
                e_sane() { case $1 in ""|-|*[!0-9-]*|?*-*) return 1 ;; esac; [ "$1" -gt -100000 ] && [ "$1" -lt 300000 ]; }
                e_sample() { e_t_cpu= e_t_gpu= e_t_soc= e_t_disk= e_t_board= e_t_other= e_t_constant= e_t_max= e_out=
                for e_d in /sys/class/thermal/thermal_zone*; do e_n= e_a=
                [ -r "$e_d/temp" ] && read -r e_n <"$e_d/type" && read -r e_a <"$e_d/temp" && e_sane "$e_a" || continue
                e_put "$e_n" "$e_a"; e_out="$e_out zone.${e_n%% *}=$e_v"; done
                for e_d in /sys/class/hwmon/hwmon*; do e_n=; [ -r "$e_d/name" ] && read -r e_n <"$e_d/name" || continue
                for e_f in "$e_d"/temp*_input; do e_a=; [ -r "$e_f" ] && read -r e_a <"$e_f" && e_sane "$e_a" || continue
                e_put "$e_n" "$e_a"; e_f=${e_f##*/}; e_out="$e_out hwmon.${e_n%% *}.${e_f%_input}=$e_v"; done; done 2>/dev/null
                for e_k in cpu gpu soc disk board max; do eval "e_a=\$e_t_$e_k"; e_v=; [ -z "$e_a" ] || e_thousandths "$e_a"; echo "$e_k=$e_v"; done
                echo "${e_out# }"; }

                """#))

    /// The whole comes from the first of these that is there: the rail that feeds the board (its label ends with _IN), the
    /// battery, the sum of all power sensors, the RAPL counter of the processor. VIN_SYS_5V0 and its like feed a part only.
    package static let power = BuiltinSampler(
        "power",
        """
        power, from hwmon (power sensors in microwatts; INA219, INA226, INA3221: volts times amperes), batteries and RAPL \
        (for root only); in the log also rail.NAME: each of them
        """,
        [
            Field("total", "mW", "the board, or the most of it that is measured"), Field("cpu", "mW", "processor"),
            Field("gpu", "mW", "graphics"), Field("soc", "mW", "the chip's other parts"),
            Field("battery", "mW", "drawn from it"),
        ],
        .shell(
            library + #"""
                e_add() { e_out="$e_out rail.$1=$2" e_sum=$((e_sum+$2)) e_seen=1; case $1 in
                *[cC][pP][uU]*[gG][pP][uU]*) e_cpu=$((${e_cpu:-0}+$2)) ;; *[gG][pP][uU]*|amdgpu*) e_gpu=$((${e_gpu:-0}+$2)) ;;
                *[cC][pP][uU]*) e_cpu=$((${e_cpu:-0}+$2)) ;; *[sS][oO][cC]*) e_soc=$((${e_soc:-0}+$2)) ;;
                *_IN) e_in=$((${e_in:-0}+$2)) ;; esac; }
                e_name() { e_l=; [ ! -r "$1" ] || read -r e_l <"$1"; case $e_l in *" "*) e_l=${e_l%% *}_${e_l##* } ;; esac; e_l=${e_l:-$2}; }
                e_sample() { e_sum=0 e_seen= e_in= e_cpu= e_gpu= e_soc= e_bat= e_out= e_pkg=
                for e_d in /sys/class/hwmon/hwmon*; do e_n=; [ -r "$e_d/name" ] && read -r e_n <"$e_d/name" || continue
                e_o=; for e_f in "$e_d"/power*_input "$e_d"/power*_average; do e_a= e_p=${e_f%_*}; case $e_o in *" $e_p "*) continue ;; esac
                [ -r "$e_f" ] && read -r e_a <"$e_f" && [ -n "$e_a" ] || continue; e_o="$e_o $e_p "; e_name "${e_p}_label" "$e_n.${e_p##*/}"; e_add "$e_l" $((e_a/1000)); done
                for e_f in "$e_d"/curr*_input; do e_a= e_b=; [ -r "$e_f" ] && read -r e_a <"$e_f" && [ -n "$e_a" ] || continue
                e_i=${e_f##*/curr}; e_i=${e_i%_input}; [ ! -r "$e_d/power${e_i}_input" ] && [ -r "$e_d/in${e_i}_input" ] || continue
                e_name "$e_d/in${e_i}_label" "$e_n.$e_i"; case $e_l in [sS]um*) continue ;; esac
                read -r e_b <"$e_d/in${e_i}_input"; e_add "$e_l" $((e_a*${e_b:-0}/1000)); done; done 2>/dev/null
                for e_d in /sys/class/power_supply/*; do e_s= e_a= e_b=; [ -r "$e_d/status" ] && read -r e_s <"$e_d/status" || continue
                if [ -r "$e_d/power_now" ]; then read -r e_a <"$e_d/power_now"; e_a=$((${e_a:-0}/1000))
                elif [ -r "$e_d/current_now" ] && [ -r "$e_d/voltage_now" ]; then read -r e_a <"$e_d/current_now"; read -r e_b <"$e_d/voltage_now"
                e_a=$((${e_a:-0}/1000*(${e_b:-0}/1000)/1000)); else continue; fi; e_a=${e_a#-}; case $e_s in Discharging) ;; *) e_a=0 ;; esac
                e_bat=$((${e_bat:-0}+e_a)); done 2>/dev/null
                e_now; for e_d in /sys/class/powercap/intel-rapl:[0-9]; do e_a=; [ -r "$e_d/energy_uj" ] && read -r e_a <"$e_d/energy_uj" && [ -n "$e_a" ] || continue
                e_i=${e_d##*:}; eval "e_o=\$e_rapl_$e_i; e_rapl_$e_i=$e_a"; e_dt=$((e_t-${e_was:-e_t}))
                [ -n "$e_o" ] && [ "$e_a" -ge "$e_o" ] && [ "$e_dt" -gt 0 ] || continue
                e_b=$(((e_a-e_o)/(e_dt*10))); e_pkg=$((${e_pkg:-0}+e_b)) e_out="$e_out rail.rapl$e_i=$e_b"; done 2>/dev/null; e_was=$e_t
                [ -n "$e_cpu" ] || e_cpu=$e_pkg
                if [ -n "$e_in" ]; then e_a=$e_in; elif [ "${e_bat:-0}" -gt 0 ]; then e_a=$e_bat; elif [ -n "$e_seen" ]; then e_a=$e_sum; else e_a=$e_pkg; fi
                echo "total=$e_a"; echo "cpu=$e_cpu"; echo "gpu=$e_gpu"; echo "soc=$e_soc"; echo "battery=$e_bat"; echo "${e_out# }"; }
                e_sample >/dev/null; e_nap

                """#))
}
